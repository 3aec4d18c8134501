"""The site is built strictly, asks nothing of other computers, and names all that is public."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import bayespress

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("bayespress.nn", "bayespress.variational", "bayespress.models", "bayespress.compression"),
    *("bayespress.compact", "bayespress.runtime", "bayespress.export", "bayespress.data"),
    *("bayespress.text", "bayespress.hub", "bayespress.conversion"),
)
# Links that a reader may follow, in CHANGELOG.md; nothing is loaded from there.
MAY_LINK_TO = re.compile(r"https://(keepachangelog\.com|semver\.org)/")


class Links(HTMLParser):
    """What a page loads, where it leads, and the names of its places."""

    def __init__(self, file):
        super().__init__()
        self.loads, self.leads_to, self.places, self.text = set(), set(), set(), []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if "id" in found:
            self.places.add(found["id"])
        if tag == "a" and "href" in found:
            self.leads_to.add(found["href"])
        elif tag == "link" or "src" in found:
            self.loads.add(found.get("href") or found.get("src"))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for needed in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(needed, reason="pip install 'bayespress[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {file.relative_to(site): Links(file) for file in site.rglob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loads = {load for page in pages.values() for load in page.loads}
    assert len(loads) > 5
    assert [load for load in loads if re.match(r"(\w+:)?//", load)] == []
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", sheet.read_text("utf-8"))
        assert [address for address in addresses if re.match(r"(https?:)?//", address)] == []


def test_links_lead_to_places_that_exist(pages):
    for name, page in pages.items():
        for link in page.leads_to:
            if re.match(r"\w+:", link):
                assert MAY_LINK_TO.match(link), f"{name}: {link}"
                continue
            target, _, place = link.partition("#")
            if name.name == "404.html":  # its links are for the root of a server
                continue
            path = Path(os.path.normpath(name.parent / unquote(target))) if target else name
            path = path / "index.html" if path.suffix == "" else path
            assert path in pages, f"{name}: {link}"
            assert not place or unquote(place) in pages[path].places, f"{name}: {link}"


def test_every_public_name_is_in_the_reference(pages):
    places = {
        place for name, page in pages.items() if name.parts[0] == "api" for place in page.places
    }
    missing = [
        f"{package}.{name}"
        for package in PACKAGES
        for name in importlib.import_module(package).__all__
        if not may_stand_at(package, name) & places and is_described(package, name)
    ]
    assert missing == []


def is_described(package, name):
    """Tell whether a name is a class or a function: a plain value may do without a docstring."""
    one = getattr(importlib.import_module(package), name)
    return inspect.isclass(one) or inspect.isfunction(one)


def may_stand_at(package, name):
    one = getattr(importlib.import_module(package), name)
    return {f"{package}.{name}", f"{getattr(one, '__module__', '')}.{name}"}


def test_the_names_of_the_package_itself_are_listed(pages):
    reference = pages[Path("api/index.html")]
    listed = set(re.findall(r"bayespress\.\w+", " ".join(reference.text)))
    assert {f"bayespress.{name}" for name in bayespress.__all__} <= listed


def test_equations_and_roles_are_set_and_marks_for_tests_are_gone(site, pages):
    for name, page in pages.items():
        text = "".join(page.text)
        raw = re.search(r":(math|func|class|meth|mod|data|attr):|\.\. math::|\$\$|\\\(", text)
        assert raw is None, f"{name}: {text[raw.start() - 40 : raw.end() + 40]!r}"
        assert "<!-- given" not in (site / name).read_text("utf-8")
    for name, least in (("method.html", 20), ("api/nn.html", 3), ("api/variational.html", 5)):
        assert (site / name).read_text("utf-8").count("<math") >= least
