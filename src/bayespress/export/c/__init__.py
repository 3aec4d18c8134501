"""C99: a header and a source without allocation, dependencies or variables that are shared."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from bayespress import __version__
from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel
from bayespress.errors import ArtifactError, ConfigError
from bayespress.export.c import classifier, language, layered
from bayespress.export.c.lanes import in_lanes
from bayespress.export.c.literals import template
from bayespress.export.folder import write_files

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# The example, and headers that the files include.
_TAKEN = {"main", "math", "stddef", "stdint", "stdio", "stdlib", "string"}


def write_c(
    model: CompactModel, folder: Path, name: str = "model", *, replace: bool = False
) -> list[Path]:
    """Write a model as ``NAME.h`` and ``NAME.c``, with an example ``main.c`` and a ``Makefile``.

    Parameters
    ----------
    model
        A classifier or a language model.
    folder
        Made if it is absent.
    name
        Begins the files' names and those of all functions: letters, digits and underscores.
    replace
        Write into a folder that is not empty; files of the same names are replaced.

    Raises
    ------
    ConfigError
        If the name cannot be one of C.
    ArtifactError
        If a token is not valid Unicode, or a label holds a zero character.
    StorageError
        If `folder` is a file, is not empty, or cannot be written to.
    """
    return write_files(folder, c_files(model, name), replace=replace)


def c_files(model: CompactModel, name: str = "model") -> dict[str, str]:
    """Give the text of each file that :func:`write_c` writes.

    Raises
    ------
    ConfigError, ArtifactError
        As there.
    """
    files = library_files(model, name)
    return {
        **files,
        "main.c": language.example(name)
        if isinstance(model, CompactLanguageModel)
        else classifier.example(model, name),
        "Makefile": template("Makefile", name=name),
    }


def library_files(
    model: CompactModel, name: str = "model", *, fast: bool = False
) -> dict[str, str]:
    """Give the text of the header and of the source.

    Parameters
    ----------
    model, name
        As for :func:`write_c`.
    fast
        Whether a classifier may be larger where it is faster so.

    Raises
    ------
    ConfigError, ArtifactError
        As there.
    """
    _check_name(name)
    summary = _summary(model)
    head = template("head.c", name=name, summary=summary, unicode=unicodedata.unidata_version)
    try:
        if isinstance(model, CompactLanguageModel):
            header, body = language.header(model, name, summary), language.source(model, name)
        else:
            model = in_lanes(model) if fast else model
            header = classifier.header(model, name, summary)
            body = classifier.source(model, name, fast=fast)
    except UnicodeEncodeError as error:
        raise ArtifactError(
            f"{error.object!r} is not valid Unicode and cannot be written: train without it"
        ) from None
    return {f"{name}.h": header, f"{name}.c": head + body}


def token_bytes(model: CompactClassifier, *, fast: bool = False) -> int:
    """Tell how many bytes of the caller's memory a word takes.

    Parameters
    ----------
    model, fast
        As for :func:`library_files`.

    Returns
    -------
    int
        The size of ``struct NAME_token``; 0 if a text is read word by word.
    """
    written = in_lanes(model) if fast else model
    return layered.token_bytes(written) if layered.needs_tokens(written) else 0


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the name {name!r} is not one of C: give --name letters, digits and underscores, "
            "a letter first"
        )
    if name.lower() in _TAKEN:
        raise ConfigError(f"the name {name!r} is taken by another file: choose another --name")


def _summary(model: CompactModel) -> str:
    kind = "A language model" if isinstance(model, CompactLanguageModel) else "A text classifier"
    return f"{kind} made by bayespress {__version__}."
