"""A stranger's model cannot write to the terminal, whatever its labels, words and texts are."""

import json

import pytest
from click.testing import CliRunner

from bayespress.cli import cli, main
from bayespress.cli.shown import tame, to_json
from bayespress.compact import CompactLSTM, save
from tests.compact.strategies import encoder_of, random_network

# Clears the screen, rings, turns what follows, sets a title.
STRANGE = ("\x1b[2Jyes\x07", "no\u202e\x9b31m")


@pytest.fixture
def model(tmp_path):
    network = random_network(encoder_of(["good", "b\x1b[31mad"]), CompactLSTM, [[2]], outputs=1)
    path = tmp_path / "strange.bpr"
    save(network.__class__(**{**network.__dict__, "labels": STRANGE}), path)
    return path


def is_tame(text):
    return all(one.isprintable() or one in "\n\t" for one in text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect",), ("inspect", "--json"), ("predict", "good"), ("explain", "good b\x1b[31mad"),
        ("explain", "--json", "good"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_that_is_printed_commands_a_terminal(model, arguments):
    command, *rest = arguments
    done = CliRunner().invoke(cli, [command, str(model), *rest], catch_exceptions=False)
    assert done.exit_code == 0
    assert is_tame(done.stdout)
    assert "yes" in done.stdout or "no" in done.stdout


def test_figures_of_classes_are_tame(model, tmp_path):
    data = tmp_path / "d.jsonl"
    rows = [{"text": "good", "label": label} for label in STRANGE * 3]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["evaluate", str(model), str(data), "--split", "all"]
    for flags in ([], ["--json"]):
        done = CliRunner().invoke(cli, [*command, *flags], catch_exceptions=False)
        assert done.exit_code == 0
        assert is_tame(done.stdout)


def test_an_error_that_quotes_a_label_is_tame(model, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["bayespress", "explain", str(model), "--label", "x\x1b[2J", "good"]
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "there is no class" in error
    assert is_tame(error)


def test_json_is_the_same_object_and_letters_of_all_scripts_stay():
    value = {"größe 漢字 🙂": [*STRANGE, "\ud800", "\U000e0001"]}
    assert json.loads(to_json(value)) == value
    assert "größe 漢字 🙂" in to_json(value)
    assert is_tame(to_json(value))


def test_lines_and_tabs_stay():
    assert tame("a\tb\r\nc") == "a\tb\nc"
