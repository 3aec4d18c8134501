"""What MkDocs does with a page of this project besides its own."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from posixpath import normpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from tex import mathml

PUBLISHED = {
    "results/README.md": "all-results.md",
    "results/lm/overfitting.svg": "lm/overfitting.svg",
    "benchmarks/README.md": "benchmarks.md",
    "examples/models/README.md": "example-models.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the repository that the site shows too, and under what name."""

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"(?<!!)\[([^\]\[]+)\]\(([^)\s:#]*)(#[^)\s]*)?\)")
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_EQUATION = re.compile(
    r'<(span|div) class="arithmatex">\s*\\([\(\[])(.*?)\\[\)\]]\s*</\1>', re.DOTALL
)
_PICTURE = re.compile(r'<p><img alt="([^"]*)" src="[./]*assets/([\w-]+\.svg)" ?/?></p>')
_STYLE = re.compile(r"<style>.*?</style>\n?", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that are pages here."""
    root = Path(config.config_file_path).parent
    for origin, name in PUBLISHED.items():
        content = (root / origin).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Leave marks for the tests out, and mend links to files that are not part of the site."""
    by_name = {name: origin for origin, name in PUBLISHED.items()}
    place = by_name.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = _CODE.split(_COMMENT.sub("", markdown))
    for number in range(0, len(parts), 2):
        parts[number] = _LINK.sub(
            lambda link: _mended(link, place, page.file.src_uri, config.repo_url), parts[number]
        )
    return "".join(parts)


def _mended(link: re.Match[str], place: str, page: str, repository: str | None) -> str:
    text, target, section = link[1], link[2], link[3] or ""
    if not target:
        return link[0]
    folder = place.rpartition("/")[0]
    path = normpath(f"{folder}/{target}" if folder else target)
    if path in PUBLISHED or f"{path}/README.md" in PUBLISHED:
        name = PUBLISHED.get(path) or PUBLISHED[f"{path}/README.md"]
        return f"[{text}]({'../' * page.count('/')}{name}{section})"
    if path.startswith("docs/"):
        return f"[{text}]({'../' * page.count('/')}{path.removeprefix('docs/')}{section})"
    if repository:
        return f"[{text}]({repository.rstrip('/')}/blob/main/{path}{section})"
    return text if text.replace("`", "") in path else f"{text} (`{path}`)"


def on_page_content(html: str, config: MkDocsConfig, **_: Any) -> str:
    """Set equations, and put pictures into the page, so that they take its colours."""

    def inlined(picture: re.Match[str]) -> str:
        drawing = (Path(config.docs_dir) / "assets" / picture[2]).read_text(encoding="utf-8")
        caption = f"<figcaption>{picture[1]}</figcaption>"
        return f"<figure>{_STYLE.sub('', drawing)}{caption}</figure>"

    html = _PICTURE.sub(inlined, html)
    return _EQUATION.sub(lambda found: mathml(unescape(found[3]), block=found[2] == "["), html)
