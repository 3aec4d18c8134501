"""What training looks like on a terminal and in a log."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from bayespress.cli.display import LiveDisplay, cells, layer_lines
from bayespress.history import read_history

COLUMNS = "epoch train valid. KL weight compression words dims neurons gates s"
LAYERS = ("Embedding:", "Cells:", "Linear:")
VARIABLES = (
    *("embedding", "weight_ih", "weight_hh", "output"),
    *("z_vocab", "z_input", "z_hidden", "z_gates"),
)


@pytest.fixture(scope="session")
def records(trained):
    return read_history(trained.run / "history.jsonl")


def shown(records, *, earlier=(), width=100, terminal=True, level=None):
    """Play epochs to a display; return all that it wrote."""
    console = Console(
        force_terminal=terminal, file=io.StringIO(), width=width, legacy_windows=False
    )
    display = LiveDisplay(console, len(records) + len(earlier), level)
    display.show_earlier(earlier)
    with display:
        for record in records:
            display.on_epoch_begin(record.epoch, 16)
            display.on_step(8, 0.25)
            console.is_terminal and display._live.refresh()
            display.on_epoch_end(record, is_best=True)
    return console.file.getvalue()


def final(written):
    """Take the last picture of a live display, without colours."""
    return Text.from_ansi(written.rpartition("\x1b[2K")[2]).plain


def test_a_terminal_shows_all_figures_live(records):
    written = shown(records)
    assert "steps, loss 0.250" in written
    assert "8/16" in written
    picture = final(written)
    lines = [line.split() for line in picture.splitlines()]
    assert COLUMNS.split() in lines
    for record in records:
        assert list(cells(record)) in lines
    for layer in LAYERS:
        assert layer in picture
    assert "steps, loss" not in picture
    assert f"best so far: epoch {records[-1].epoch}" in picture


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(records, width):
    large = replace(
        records[0],
        epoch=799,
        words=(20_000, 20_000),
        dims=(300, 300),
        neurons=(512, 512),
        gates=(2048, 2048),
        compression_ratio=123_456.0,
        kl_weight=10.0,
        seconds=1234.5,
        weights=dict.fromkeys(records[0].weights, (12345678, 12345678)),
        groups=dict.fromkeys(records[0].groups, (20000, 20000)),
    )
    picture = final(shown([large], width=width))
    assert list(cells(large)) in [line.split() for line in picture.splitlines()]
    for line in layer_lines(large).splitlines():
        assert line in [shown.rstrip() for shown in picture.splitlines()]


def test_the_bar_leaves_room_for_the_echo_of_ctrl_c(records):
    console = Console(force_terminal=True, file=io.StringIO(), width=80)
    with LiveDisplay(console, 800) as display:
        display.on_epoch_begin(799, 1000)
        display.on_step(1000, -123.456)
        display._live.refresh()
        bar = [line for line in console.file.getvalue().splitlines() if "steps" in line][-1]
        assert len(final("\x1b[2K" + bar)) < 78


def test_a_log_gets_plain_lines(records):
    written = shown(records, terminal=False)
    assert "\x1b" not in written
    lines = written.splitlines()
    assert lines[0].split() == COLUMNS.split()
    assert (
        len({len(line.removesuffix(" best")) for line in lines if line[:5].strip().isdigit()}) == 1
    )
    assert lines[1].split() == [*cells(records[0]), "best"]
    assert max(map(len, lines)) <= 80


def test_layers_show_kept_and_all_of_each_variable(records):
    record = records[-1]
    said = layer_lines(record)
    for name in VARIABLES:
        kept, total = {**record.weights, **record.groups}[name]
        assert f"{name} {kept:,}/{total:,}" in said


def test_a_resumed_run_shows_the_epochs_before(records):
    picture = final(shown(records[4:], earlier=records[:4]))
    lines = [line.split() for line in picture.splitlines()]
    assert all(list(cells(record)) in lines for record in records)
    best = max(records, key=lambda record: record.score)
    assert f"best so far: epoch {best.epoch}" in final(shown([], earlier=records))


def test_many_epochs_show_the_last_ones(records):
    picture = final(shown(records * 4))
    assert len(picture.splitlines()) <= 24


def test_notes_are_printed_as_they_are(records):
    console = Console(file=io.StringIO(), width=20)
    LiveDisplay(console, 1).on_note("[red]a note[/red] that is longer than a line")
    assert console.file.getvalue() == "[red]a note[/red] that is longer than a line\n"
