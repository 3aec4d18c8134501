"""A cache that is damaged, file by file: what is made of it again is the same as ever."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from starving.cases import TINY, TINY_LANGUAGE, Case, Given
from starving.program import Done, Report, environment, mistakes_of_line, tree
from starving.servers import Server, data_sets, serving
from starving.zygote import Zygote

_NOTES = r"^(downloading|unpacking) "
_TRAIN = ("train", "--epochs", "1", "--output", "run")
CASES = (
    Case("train (kernels, encoded texts)", (*_TRAIN, "@reviews.csv", *TINY)),
    Case("predict files (native predictor)",
         ("predict", "@run", "--output", "answers", "--workers", "1", "--input", "@texts.csv"),
         changing=("done/texts.csv.json",)),
    Case("train ag-news", (*_TRAIN, "ag-news", *TINY)),
    Case("train ptb-word", (*_TRAIN, "ptb-word", *TINY_LANGUAGE)),
    Case("train imdb", (*_TRAIN, "imdb", *TINY)),
)  # fmt: skip


def _bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_bytes(b"in the way")


def _noise(content: bytes, start: float, source: random.Random) -> bytes:
    first = int(len(content) * start)
    return content[:first] + source.randbytes(len(content) - first)


def damages(seed: int) -> dict[str, Callable[[Path], None]]:
    """Name what may happen to a file."""
    source = random.Random(seed)
    return {
        "is gone": Path.unlink,
        "is empty": lambda path: path.write_bytes(b"") and None,
        "is cut": lambda path: _bytes(path, lambda content: content[: len(content) * 2 // 3]),
        "is a byte short": lambda path: _bytes(path, lambda content: content[:-1]),
        "is noise": lambda path: _bytes(path, lambda old: _noise(old, 0, source)),
        "ends in noise": lambda path: _bytes(path, lambda old: _noise(old, 0.6, source)),
        "is a folder": _folder,
        "is a link to nothing": lambda path: (path.unlink(), path.symlink_to("nothing"))[1],
        "may not be read": lambda path: path.chmod(0),
    }


def damaged_cache(given: Given, zygote: Zygote, seed: int, most_files: int) -> Report:
    """Damage every file of a cache in every way, and run what reads it."""
    report = Report()
    with serving(data_sets(seed)) as server:
        for case in CASES:
            with given.root() as root:
                _damage_all(case, given, root, server, zygote, report, seed, most_files)
    return report


def _damage_all(
    case: Case,
    given: Given,
    root: Path,
    server: Server,
    zygote: Zygote,
    report: Report,
    seed: int,
    most_files: int,
) -> None:
    sound = root / "sound-cache"
    wanted = _run(case, given, root / "first", sound, server, zygote)
    if wanted[0].code:
        raise SystemExit(f"{case.name} fails with a sound cache: {wanted[0].err}")
    files = sorted(path.relative_to(sound) for path in sound.rglob("*") if path.is_file())
    chosen = random.Random(seed).sample(files, min(most_files, len(files)))
    report.figures[case.name] = f"{len(chosen)} of {len(files)} files"
    for file in chosen:
        for name, damage in damages(seed).items():
            work = root / "work"
            shutil.copytree(sound, work / "cache")
            damage(work / "cache" / file)
            done, after = _run(case, given, work, work / "cache", server, zygote)
            mistakes = mistakes_of_line(done, _NOTES) if done.code else []
            if done.code == 0 and after != wanted[1]:
                others = [key for key in after if after[key] != wanted[1].get(key)]
                mistakes.append(f"other results than with a sound cache: {', '.join(others)}")
            report.note(f"{case.name}, {file} {name}", done, mistakes)
            shutil.rmtree(work)


def _run(
    case: Case, given: Given, root: Path, cache: Path, server: Server, zygote: Zygote
) -> tuple[Done, dict[str, bytes]]:
    root.mkdir(exist_ok=True)
    env = environment(root, cache, NO_PROXY="*", STARVE_KEEP_ENCODED="1")
    env |= {"STARVE_DOWNLOADS": server.downloads(), "STARVE_DROP_RIGHTS": "1"}
    done = zygote.call(case.words(given), root, env)
    files = {
        name: b"" if name.endswith(case.changing) else content
        for name, content in tree(root).items()
        if name.startswith(("run/", "answers/"))
    }
    return done, files
