"""Settings that belong together, as TOML files: the rows of the papers' tables, and the demos."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from importlib import resources

from bayespress.config import flat_from_toml
from bayespress.errors import ConfigError
from bayespress.schedules import Value

_SUFFIX = ".toml"


@dataclass(frozen=True)
class Recipe:
    """A shipped file of settings.

    Attributes
    ----------
    name
        As on the command line.
    title
        What it is for, in a line.
    text
        The TOML as written, comments included.
    settings
        For :meth:`bayespress.config.Config.from_flat`.
    paper
        What the papers' authors logged, where they made this run: ``test_accuracy`` in percent,
        or of a language model ``test_perplexity`` or ``test_bits_per_character``; unless it is
        dense, ``compression`` and the kept ``vocabulary``, ``hidden`` and ``gates``.
    """

    name: str
    title: str
    text: str
    settings: dict[str, Value]
    paper: dict[str, float]


def names() -> list[str]:
    """Return the names of all recipes, sorted.

    Examples
    --------
    >>> "imdb-w+g+n" in names()
    True
    """
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX))


def read(name: str) -> Recipe:
    """Read a recipe.

    Raises
    ------
    ConfigError
        If there is none of this name.

    Examples
    --------
    >>> read("ag-news-w").paper["compression"], read("ptb-char-w").paper["test_bits_per_character"]
    (350, 1.429)
    """
    known = names()
    if name not in known:
        raise ConfigError(_unknown(name, known))
    text = resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return Recipe(
        name,
        tables["recipe"]["title"],
        text,
        flat_from_toml(text, f"recipe {name}"),
        tables.get("paper", {}),
    )


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? There" if close else "there"
    return f"unknown recipe {name!r}; {hint} are {', '.join(known)}"
