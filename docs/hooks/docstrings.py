r"""Docstrings are written for Sphinx; this makes Markdown of them before they are set.

``:math:`\sigma``` becomes ``$\sigma$``, ``.. math::`` a block in dollars, and a role such as
``:func:`load``` a link, if the site has a place to go to, else code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from griffe import Extension, GriffeLoader, Module, Object

SHOWN = (
    *("compact", "compression", "data", "export", "hub", "nn", "runtime", "text", "variational"),
    *(
        "conversion",
        "config",
        "errors",
        "sparsity",
        "models",
        "objective",
        "estimator",
        "export.native",
    ),
    *("conversion", "hub.model", "runtime.remote"),
)
"""Modules whose public names stand in the reference."""

_MATH = re.compile(r":math:`([^`]*)`")
_ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):`(~?)([^`]*)`")
_BLOCK = re.compile(r"^( *)\.\. math::(.*)\n((?:\n|\1 +.*\n)*)", re.MULTILINE)
_TOGETHER = re.compile(r"^(\w+(?:, \w+)+)\n((?: +.*\n|\n(?= ))+)", re.MULTILINE)
_TAKE_NAMES = ("Parameters", "Attributes")


class SphinxToMarkdown(Extension):
    """Rewrite all docstrings of the package once it has been read."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **_: Any) -> None:  # noqa: ARG002
        """Go through all objects."""
        places = set(_places(pkg))
        for one in _objects(pkg):
            if one.docstring is not None:
                one.docstring.value = markdown(one.docstring.value, one, places)


def markdown(text: str, owner: Object, places: set[str]) -> str:
    """Write equations in dollars and roles as links."""

    def linked(role: re.Match[str]) -> str:
        name = role[2]
        shown = name.rpartition(".")[2] if role[1] else name
        place = _place(name, owner)
        return f"[`{shown}`][{place}]" if place in places else f"`{shown}`"

    text = _TOGETHER.sub(_one_by_one, text + "\n")
    text = _BLOCK.sub(_equation, text).removesuffix("\n")
    text = _MATH.sub(lambda math: f"${math[1].strip()}$", text)
    return re.sub(r"::$", ":", _ROLE.sub(linked, text), flags=re.MULTILINE)


def _one_by_one(entry: re.Match[str]) -> str:
    """Give each of several parameters that are described together an entry of its own.

    griffe would give all of them the type and the default of the first one.
    """
    sections = re.findall(r"^(\w[\w ]*)\n-+$", entry.string[: entry.start()], re.MULTILINE)
    if not sections or sections[-1] not in _TAKE_NAMES:
        return entry[0]
    first, *others = entry[1].split(", ")
    indent = entry[2][: len(entry[2]) - len(entry[2].lstrip())]
    told = "".join(f"{name}\n{indent}See `{first}`.\n" for name in others)
    return f"{first}\n{entry[2].rstrip()}\n{told}"


def _equation(block: re.Match[str]) -> str:
    indent, first, rest = block.groups()
    lines = [line.strip() for line in (first + "\n" + rest).splitlines() if line.strip()]
    inside = f"\n{indent}".join(["$$", *lines, "$$"])
    return f"\n{indent}{inside}\n\n"


def _place(name: str, owner: Object) -> str:
    """Give the whole path of a name as it is meant in an object's docstring."""
    scope: Object | None = owner
    while scope is not None:
        try:
            return str(scope.modules_collection[scope.resolve(name)].canonical_path)
        except Exception:  # noqa: BLE001 - griffe has several for a name that is not there
            scope = scope.parent  # type: ignore[assignment]
    try:
        return str(owner.modules_collection[name].canonical_path)
    except Exception:  # noqa: BLE001
        return name


def _objects(one: Object) -> Iterator[Object]:
    yield one
    for member in one.members.values():
        if not member.is_alias:
            yield from _objects(member)  # type: ignore[arg-type]


def _places(package: Module) -> Iterator[str]:
    """Give the paths of all that the reference shows."""
    for name in SHOWN:
        module = package[name]
        for public in module.exports or [n for n in module.members if not n.startswith("_")]:
            # Not module[public], where a module may hide a function of its own name.
            origin = module.imports.get(str(public))
            if origin is not None and module.exports is None:
                continue  # an import of a module without a list of public names
            one = package.modules_collection[origin or f"{module.path}.{public}"]
            one = one.final_target if one.is_alias else one
            yield one.canonical_path
            for member in one.members.values():
                if not member.is_alias and not member.name.startswith("_"):
                    yield member.canonical_path
