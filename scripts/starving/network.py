"""No network, and servers that fail: no part stays in the cache, and what was there stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starving.cases import TINY, TINY_LANGUAGE, Case, Given
from starving.program import Done, Report, environment, mistakes_of_line, tree
from starving.servers import MODEL, PLACES, WAYS, Server, data_sets, serving
from starving.zygote import Zygote

_NOTES = r"^(downloading|unpacking) "
_TRAIN = ("train", "--epochs", "1", "--output", "run")
SOURCES = (
    Case("train imdb", (*_TRAIN, "imdb", *TINY)),
    Case("train ag-news", (*_TRAIN, "ag-news", *TINY)),
    Case("train ptb-word", (*_TRAIN, "ptb-word", *TINY_LANGUAGE)),
    Case("predict hf://", ("predict", "hf://me/small", "good film")),
)
DATASET = Case("train hf:", (*_TRAIN, "hf:me/small", *TINY))
"""Commands that ask the network."""


def failures(given: Given, zygote: Zygote, seed: int, ways: Sequence[str]) -> Report:
    """Run what needs a network with every way in which there is none, or a server fails."""
    report = Report()
    files = data_sets(seed) | {MODEL[1:]: (given.folder / "run" / "model.bpr").read_bytes()}
    with serving(files) as server:
        for case in (*SOURCES, DATASET):
            for name in (*PLACES, *ways):
                if case is DATASET and name not in ("nobody listens", "answers 404"):
                    continue  # the library waits and asks again for minutes
                with given.root() as root:
                    _fail(case, name, given, root, server, zygote, report)
    return report


def _fail(
    case: Case,
    name: str,
    given: Given,
    root: Path,
    server: Server,
    zygote: Zygote,
    report: Report,
) -> None:
    env = environment(root, root / "cache")
    (root / "cache" / "ag_news").mkdir(parents=True)
    (root / "cache" / "ag_news" / "train.csv").write_bytes(server.files["ag_news/train.csv"])
    env |= {"HF_HUB_DOWNLOAD_TIMEOUT": "5", "HF_HUB_ETAG_TIMEOUT": "5", "NO_PROXY": "*"}
    env |= {"HF_HOME": str(root / "hf"), "HF_HUB_DISABLE_XET": "1", "BAYESPRESS_KERNELS": "0"}
    before = tree(root)

    def run(address: str) -> Done:
        asked = {"STARVE_DOWNLOADS": server.downloads(address), "HF_ENDPOINT": address}
        return zygote.call(case.words(given), root, env | asked)

    server.way = name if name in WAYS else ""
    done = run(PLACES.get(name, server.address))
    mistakes = mistakes_of_line(done, _NOTES)
    mistakes += _left(before, tree(root))
    server.way = ""
    if case is not DATASET:
        again = run(server.address)
        mistakes += [f"with a network: {again.err[-300:]}"] if again.code else []
    report.note(f"{case.name}, {name}", done, mistakes)


def _left(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Tell what of the cache is not as it was.

    The hub's own cache is its library's, which keeps locks and what a server broke off; that it is
    fetched anew is seen when the command runs again.
    """
    mistakes = [f"{name} is not as it was" for name in before if after.get(name) != before[name]]
    others = [name for name in after if name not in before and not name.startswith("hf/")]
    return mistakes + [f"{name} was left" for name in others]
