"""The files of a run's folder, of a card and of bulk answers: TOML, JSON and safetensors."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w
from scripts.fuzz.target import Change, Target, held, refused, scratch
from scripts.fuzz.values import TELLING, TOML, other_line, other_setting, other_value

from bayespress.bulk.inputs import Item
from bayespress.bulk.memory import FOLDER, Memory, Record, Stamp
from bayespress.config import FIELDS, Config
from bayespress.history import EpochRecord, read_history, read_result
from bayespress.hub.release import read_facts
from bayespress.report.run import ReportedRun

RESULTS = Path(__file__).parents[2] / "results"
RUNS = ("demo/seed1", "demo/before-shrinking/seed1", "lm/ptb-char-w-seed1")


@cache
def folder(name: str) -> Path:
    """Make an empty folder."""
    path = scratch() / name
    path.mkdir()
    return path


def taken(read: Callable[[], Any], check: Callable[[Any], None]) -> bool:
    """Read something, and look at what was read; tell whether it was not refused."""
    found: list[Any] = []
    if refused(lambda: found.append(read())):
        return False
    check(found[0])
    return True


def read_config(data: bytes) -> bool:
    """Read settings; written and read once more they are the same."""
    file = folder("config") / "config.toml"
    file.write_bytes(data)
    return taken(lambda: Config.from_file(file), _check_config)


def _check_config(config: Config) -> None:
    tables = {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in config.tables().items()
    }
    held(Config.from_toml(tomli_w.dumps(tables), "again") == config, "settings change")
    held(str(config.sparsity) != "", "settings have no sparsity")


def config_seeds() -> Iterator[bytes]:
    """Give settings of runs, and a few short ones."""
    for file in sorted(RESULTS.rglob("config.toml"))[:3]:
        lines = file.read_bytes().splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if line.startswith(b"[")]
        for start in places:  # each table alone: a whole file is read at a tenth of the speed
            yield b"".join(
                [lines[start], *(x for x in lines[start + 1 : start + 12] if x[:1] != b"[")]
            )
    yield b"[data]\ntask = 'lm'\n[text]\nlevel = 'char'\n"
    yield b"[model]\ncode = 'w+g+n'\ncell = 'gru'\nlayers = 2\n[training]\nepochs = 3\n"
    yield b""


def read_epochs(data: bytes) -> bool:
    """Read a history; written and read once more it is the same, and it is drawn from."""
    file, again = folder("history") / "history.jsonl", folder("history") / "again.jsonl"
    file.write_bytes(data)

    def check(records: list[EpochRecord]) -> None:
        text = "".join(record.to_line() for record in records)
        again.write_text(text, encoding="utf-8")
        # By their text: not a number is not equal to itself.
        held("".join(r.to_line() for r in read_history(again)) == text, "a history changes")
        run = ReportedRun("a", records)
        held(run.best is None or run.best in run.history, "the best epoch is none")
        for record in records:
            _ = record.validation_perplexity, record.validation_bits
            _ = record.epoch + 1, record.seconds + record.loss + record.nll + record.kl
            for kept, every in (record.words, *record.weights.values(), *record.groups.values()):
                _ = kept + every

    return taken(lambda: read_history(file), check)


def history_seeds() -> Iterator[bytes]:
    """Give the first epochs of runs of every kind."""
    for file in sorted(RESULTS.rglob("*history.jsonl"))[::5]:
        yield b"\n".join(file.read_bytes().split(b"\n")[:1]) + b"\n"


def read_figures(data: bytes) -> bool:
    """Read the figures of a finished run, as ``report`` and training that goes on do."""
    file = folder("result") / "result.json"
    file.write_bytes(data)
    return taken(lambda: read_result(file), lambda result: ReportedRun("a", result=result).best)


def result_seeds() -> Iterator[bytes]:
    """Give figures of runs."""
    for file in sorted(RESULTS.rglob("*result.json"))[:40:5]:
        yield file.read_bytes()


def read_card(data: bytes) -> bool:
    """Read the facts of a card; written and read once more they are the same."""
    file = folder("facts") / "config.json"
    file.write_bytes(data)

    def check(facts: Any) -> None:
        file.write_text(json.dumps(facts.to_dict()), encoding="utf-8")
        held(read_facts(file) == facts, "facts change")

    return taken(lambda: read_facts(file), check)


def facts_seeds() -> Iterator[bytes]:
    """Give facts with everything in them, and none."""
    yield json.dumps({
        "name": "demo", "settings": {"data": {"source": "demo"}}, "epoch": 3, "epochs": 9,
        "figures": [{"split": "test", "measure": "accuracy", "value": 0.5, "count": 7}],
        "command": "bayespress train demo", "versions": {"torch": "2"}, "license": "mit",
        "languages": ["en", "de"],
    }).encode()  # fmt: skip
    yield b"{}"


def read_record(data: bytes) -> bool:
    """Look whether a bulk file is done; a record that is none means that it is not, or whose."""
    place = folder("record")
    answers, source = place / "a.csv", place / "source.csv"
    done = place / FOLDER / "done"
    if not source.exists():
        done.mkdir(parents=True)
        source.touch()
        answers.touch()
    (done / "a.csv.json").write_bytes(data)
    memory = Memory(place, {"model": "0", "prefix": ""})
    return taken(lambda: memory.is_done(Item(source, Path("a.csv"))), lambda _: None)


def record_seeds() -> Iterator[bytes]:
    """Give records of other files, and of this one with other settings."""
    for settings in ({"model": "0", "prefix": ""}, {"model": "1"}, {"model": "0", "prefix": "x"}):
        yield Record(settings, Stamp(1, 2), Stamp(0, 3)).to_json().encode()


def read_record_itself(data: bytes) -> bool:
    """Read a record alone, whose stamps the file system cannot be made to have."""
    text = data.decode("utf-8", "replace")
    record = Record.from_json(text)
    if record is not None:
        held(Record.from_json(record.to_json()) == record, "a record changes")
        held(isinstance(record.settings, dict), "settings of a record are no object")
    return read_record(data) or record is not None


def read_checkpoint(data: bytes) -> bool:
    """Read tensors and what is said of them."""
    from bayespress.training.run import load_tensors  # noqa: PLC0415 - torch takes a second

    file = folder("checkpoint") / "checkpoint.safetensors"
    file.write_bytes(data)

    def check(read: tuple[dict[str, Any], dict[str, Any]]) -> None:
        tensors, metadata = read
        held(isinstance(metadata, dict), "metadata is no object")
        held(
            sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) <= len(data),
            "tensors are larger than their file",
        )

    return taken(lambda: load_tensors(file), check)


def checkpoint_seeds() -> Iterator[bytes]:
    """Give checkpoints of a few numbers."""
    import torch  # noqa: PLC0415

    from bayespress.training.run import save_tensors  # noqa: PLC0415

    file = folder("checkpoint") / "seed.safetensors"
    for kind in (torch.float32, torch.bfloat16, torch.int64, torch.bool):
        tensors = {"net.a": torch.ones(2, 3).to(kind), "net.b": torch.zeros(4).to(kind)}
        save_tensors(file, tensors, {"progress": {"epoch": 1}, "data": "0"})
        yield file.read_bytes()


def change_checkpoint(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change the JSON at the front and make its length right, or any bytes."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8 or source.random() < 0.2:
        return change(data)
    head, rest = data[8 : 8 + size], data[8 + size :]
    head = other_value(head, source, change)
    if source.random() < 0.3:
        head = _other_metadata(head, source, change)
    return len(head).to_bytes(8, "little") + head + rest


def _other_metadata(head: bytes, source: random.Random, change: Change) -> bytes:
    """Change the JSON that stands, as a text, in the JSON."""
    try:
        tree = json.loads(head)
        inner = tree["__metadata__"]["bayespress"].encode()
        tree["__metadata__"]["bayespress"] = other_value(inner, source, change).decode()
        return json.dumps(tree).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return change(head)


def _of_json(
    name: str, read: Callable[[bytes], bool], seeds: Callable[[], Iterator[bytes]]
) -> Target:
    return Target(name, read, seeds, other_value, JSON_WORDS)


JSON_WORDS = tuple(value.encode() for value in TELLING if len(value) < 30)
SETTINGS = tuple(f"{key} = ".encode() for key in FIELDS)
TABLES = (b"[data]\n", b"[text]\n", b"[model]\n", b"[training]\n", b"[paper]\n", b"recipe = ")
CONFIG = Target(
    "config", read_config, config_seeds, other_setting,
    (*SETTINGS, *TABLES, *(value.encode() for value in TOML if len(value) < 30)),
)  # fmt: skip
HISTORY = Target("history", read_epochs, history_seeds, other_line, JSON_WORDS)
RESULT = _of_json("result", read_figures, result_seeds)
FACTS = _of_json("facts", read_card, facts_seeds)
RECORD = _of_json("record", read_record_itself, record_seeds)
CHECKPOINT = Target(
    "checkpoint", read_checkpoint, checkpoint_seeds, change_checkpoint,
    (*JSON_WORDS, b'"dtype":"', b'"shape":[', b'"data_offsets":[', b"F32", b"F8_E8M0", b"U64",
     b"F4", b"C64", b"__metadata__"),
)  # fmt: skip
