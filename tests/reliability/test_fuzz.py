"""What ``make fuzz`` does at length, in seconds: corpora, some damage, texts for models in C."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scripts.fuzz import __main__ as driver
from scripts.fuzz import c_text, corpus, libfuzzer
from scripts.fuzz.meter import Meter
from scripts.fuzz.target import Target, ViolationError, only_bytes, plain_change, refused
from scripts.fuzz.targets import TARGETS

from bayespress.errors import RunError
from tests.export.helpers import COMPILER, needs_compiler

ROOT = Path(__file__).parents[2]
every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_a_corpus_breaks_no_rule_and_takes_no_more_memory_than_allowed(name):
    meter, inputs = Meter(TARGETS[name]), corpus.kept(name)
    for data in inputs:
        meter.run(data)
    assert meter.costs.measured == len(inputs) > 5
    assert 0 < meter.costs.taken < len(inputs)


@pytest.mark.slow
@every_target
def test_damage_breaks_no_rule(name):
    target, source = TARGETS[name], random.Random(4)
    meter = Meter(target, every=50)
    inputs, change = [*target.seeds(), *corpus.kept(name)], plain_change(source, target.words)
    for _ in range(200):
        data = source.choice(inputs)
        for _ in range(source.randint(0, 3)):
            data = target.change(data, source, change)[: target.longest]
        meter.run(data)
    assert 0 < meter.costs.taken < 200


def test_corpora_are_small_and_stand_in_their_order(tmp_path):
    files = sorted(corpus.FOLDER.glob("*.b64"))
    assert {file.stem for file in files} == {*TARGETS, *c_text.NETWORKS}
    assert sum(file.stat().st_size for file in files) < 200_000
    for file in files:
        again = corpus.keep(file.stem, corpus.kept(file.stem), tmp_path)
        assert again == corpus.kept(file.stem)


@pytest.fixture(params=c_text.NETWORKS, scope="module")
def compiled(request, tmp_path_factory):
    """The name of a network, the network, and the program that it became."""
    folder = tmp_path_factory.mktemp("c")
    flags = c_text.SANITIZERS if c_text.has_sanitizers(COMPILER, folder) else ()
    model = c_text.NETWORKS[request.param]()
    return request.param, model, c_text.compiled(COMPILER, model, folder, flags)


@needs_compiler
@pytest.mark.slow
def test_texts_of_the_corpus_are_answered_in_c_as_in_python(compiled):
    name, model, program = compiled
    texts = [*corpus.kept(name), *c_text.seeds(model)]
    answers = c_text.replayed(program, model, texts)
    assert c_text.differences(model, answers, texts) == []
    assert (answers.codes == -1).any()
    assert (answers.codes >= 0).any()


@needs_compiler
@pytest.mark.slow
def test_damaged_texts_are_answered_in_c_as_in_python(compiled):
    name, model, program = compiled
    source = random.Random(2)
    change = plain_change(source, tuple(c_text.words(model)))
    texts = [change(source.choice(corpus.kept(name))) for _ in range(1000)]
    answers = c_text.replayed(program, model, texts)
    assert c_text.differences(model, answers, texts) == []


@needs_compiler
def test_a_difference_between_c_and_python_is_seen(compiled):
    _, model, program = compiled
    texts = [b"good", b"\xff", b"aaa"]
    answers = c_text.replayed(program, model, texts)
    answers = c_text.Answers(*(np.array(part) for part in vars(answers).values()))
    answers.shares[0] += 1e-3
    answers.codes[1] = 0
    found = c_text.differences(model, answers, texts)
    assert [line.split(":")[0] for line in found] == ["b'good'", "b'\\xff'"]


@needs_compiler
def test_a_rule_that_is_broken_in_c_ends_the_harness(tmp_path):
    model = c_text.NETWORKS["c-words"]()
    c_text.write(model, tmp_path)
    harness = (tmp_path / "harness.c").read_text().replace("<= 1e-5, rule", "< 0, rule")
    (tmp_path / "harness.c").write_text(harness)
    command = [COMPILER, "-DREPLAY", "-o", "replay", "harness.c", "model.c", "fast.c", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with pytest.raises(RuntimeError, match="broken: both ways give the same"):
        c_text.replayed(tmp_path / "replay", model, [b"good"])


def run_audit(*names):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.fuzz.audit", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_reading_strangers_files_imports_executes_and_opens_nothing():
    code, heard = run_audit()
    assert set(heard) == set(TARGETS)
    # Not even warmed up: a model is bytes, and becomes numbers and words.
    assert heard.pop("loader") == []
    assert {event for events in heard.values() for event in events} <= {
        "open of the input", "builtins.id",
    }  # fmt: skip
    assert code == 0


def test_the_audit_hears_what_it_is_for():
    code = """
import pickle, sys
from scripts.fuzz import audit
sys.addaudithook(audit._hear)
class Evil:
    def __reduce__(self):
        return print, ("unpickled",)
gift = pickle.dumps(Evil())
with audit.listening() as events:
    pickle.loads(gift)
    import wave
    exec("1")
    open("/dev/null").close()
print(sorted(events))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for event in ("'pickle.find_class'", "'import'", "'exec'", "'compile'", "'open /dev/null'"):
        assert event in done.stdout


def a_target(read, memory=lambda _: 2**20):
    return Target("x", read, lambda: [b""], only_bytes, memory=memory)


def test_too_much_memory_is_a_find():
    with pytest.raises(ViolationError, match=r"^3 bytes take \d+ of memory, over 1048576$"):
        Meter(a_target(lambda _: bool(bytearray(2**21)))).run(b"abc")


def test_costs_are_kept():
    meter = Meter(a_target(bool), every=2)
    for data in (b"", b"a", b"", b"bc"):
        meter.run(data)
    figures = meter.figures()
    assert (figures["runs"], figures["taken"], figures["measured"]) == (4, 2, 2)
    assert figures["slowest_bytes"] == 0


@pytest.mark.parametrize("text", ["two\nlines", "", "a\u2028b"])
def test_a_refusal_in_several_lines_or_none_is_a_find(text):
    def read():
        raise RunError(text)

    with pytest.raises(ViolationError, match="is not one line"):
        refused(read)


def test_another_error_than_a_refusal_is_a_find():
    with pytest.raises(ZeroDivisionError):
        refused(lambda: 1 / 0)


def test_a_chosen_corpus_is_small():
    inputs = {bytes([k % 256]) * k for k in range(500)}
    chosen = corpus.spread(inputs, files=50, size=4000)
    assert chosen <= inputs
    assert 10 < len(chosen) <= 50
    assert sum(map(len, chosen)) <= 4000


def test_what_libfuzzer_says_is_read(tmp_path):
    program = tmp_path / "fuzzer"
    said = (
        "#7 NEW cov: 5 ft: 6 corp: 3/9b lim: 4 exec/s: 0 rss: 9Mb L: 1/4 MS: 1 x-\\n"
        "Done 9 runs in 2 second(s)\\nstat::peak_rss_mb: 31\\n"
    )
    program.write_text(f"#!/bin/sh\nprintf '{said}' >&2\n")
    program.chmod(0o700)
    order = libfuzzer.Order(tmp_path, tmp_path, 9)
    line = libfuzzer.run("none", [str(program)], [b"a"], [b"w"], 4, order)
    told = {key: line[key] for key in ("runs", "coverage", "features", "peak_rss_mb", "finds")}
    assert told == {"runs": 9, "coverage": 5, "features": 6, "peak_rss_mb": 31, "finds": 0}


def test_a_fuzzer_that_stops_is_a_find(tmp_path, capfd):
    program = tmp_path / "fuzzer"
    program.write_text("#!/bin/sh\necho 'broken: a rule' >&2\nexit 77\n")
    program.chmod(0o700)
    order = libfuzzer.Order(tmp_path, tmp_path, 9)
    line = libfuzzer.run("none", [str(program)], [], [], 4, order)
    assert line["finds"] == 1
    assert "broken: a rule" in capfd.readouterr().err


@pytest.mark.parametrize(("target", "tool"), [("c-words", "clang is missing"),
                                              ("loader", "atheris is missing")])  # fmt: skip
def test_a_tool_that_is_missing_is_told_and_no_success(target, tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(c_text, "clang", lambda: None)
    monkeypatch.setattr(driver.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit) as end:
        driver.main([target, "--finds", str(tmp_path)])
    assert end.value.code == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["not_run"].startswith(tool)
    assert lines[1]["not_run"] == [target]


def test_an_unknown_target_is_refused(capsys):
    with pytest.raises(SystemExit):
        driver.main(["nothing"])
    assert "there is no target 'nothing'; there are loader, config" in capsys.readouterr().err
