"""`explain` as a user types it: colours on a terminal, signs elsewhere, numbers as JSON."""

import dataclasses
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from bayespress import compact
from bayespress.cli.explanation import print_explanation
from bayespress.compact import CompactGRU
from bayespress.runtime import TextPredictor, explain
from tests.cli.helpers import answers, refused, worked
from tests.compact.language_strategies import small_language_model
from tests.compact.strategies import encoder_of, models, networks, random_model, random_network
from tests.export.conftest import node  # noqa: F401 - a fixture
from tests.export.node import needs_node
from tests.export.texts import KNOWN_OR_ANY, TEXT

LINES = st.lists(TEXT.filter(lambda text: not set(text) & set("\n\r\0")), min_size=1, max_size=8)


def explanations(*arguments, stdin=b""):
    said = worked("explain", *arguments, "--json", stdin=stdin)
    return [json.loads(line) for line in said.splitlines()]


def model_of(*words, outputs=1, **changes):
    """A model that every word moves."""
    encoder = encoder_of(words, max_length=6, lowercase=True)
    model = random_model(encoder, 3, 4, range(16), outputs, seed=1, **changes)
    return dataclasses.replace(model, output_weight=10 * model.output_weight)


def shown(model, text, *, terminal=True, most=8, no_color=False):
    """Print an explanation to a terminal of 80 columns, or to a file."""
    system = "truecolor" if terminal else None
    console = Console(
        file=io.StringIO(),
        width=80,
        force_terminal=terminal,
        color_system=system,
        legacy_windows=False,
        no_color=no_color,
    )
    print_explanation(console, text, explain(TextPredictor(model), text), model, most)
    return console.file.getvalue()


def plain(written):
    return Text.from_ansi(written).plain


def styles(written, word):
    """The styles of a word in the text of a picture."""
    picture = Text.from_ansi(written)
    start = picture.plain.index(word)
    return {str(span.style) for span in picture.spans if span.start <= start < span.end}


def test_json_has_the_answer_and_every_word(trained):
    text = "A good, bad  FILM"
    (found,) = explanations(trained.run, text)
    (answer,) = answers(trained.run, text)
    assert list(found) == ["label", "probability", "explained", "start", "final", "tokens"]
    assert (found["label"], found["probability"]) == (answer["label"], answer["probability"])
    assert found["explained"] == found["label"]
    keys = ["text", "start", "end", "kept", "read", "effect", "probability"]
    assert [list(token) for token in found["tokens"]] == [keys] * 4
    assert [text[token["start"] : token["end"]] for token in found["tokens"]] == [
        token["text"] for token in found["tokens"]
    ]
    assert [token["text"] for token in found["tokens"]] == ["A", "good", "bad", "FILM"]
    assert found["tokens"][-1]["probability"] == pytest.approx(found["probability"], abs=2e-6)
    total = sum(token["effect"] for token in found["tokens"])
    assert found["start"] + total == pytest.approx(found["final"], abs=5e-6)


def test_every_line_of_standard_input_is_explained(trained):
    lines = ["good film", "", "schlecht 🎬 \u2028 good", "bad \u85cf"]
    stdin = "\n".join(lines).encode()
    assert explanations(trained.run, stdin=stdin) == explanations(trained.run, *lines)
    assert worked("explain", trained.run, stdin=stdin) == worked("explain", trained.run, *lines)


def test_another_class_can_be_explained(trained):
    (good,), (bad,) = (explanations(trained.run, "good", "--label", c) for c in ("good", "bad"))
    assert good["label"] == bad["label"] == good["explained"]
    assert bad["explained"] == "bad"
    assert bad["tokens"][0]["effect"] == -good["tokens"][0]["effect"] < 0
    said = worked("explain", trained.run, "good", "--label", "bad")
    assert f"; explained: bad {bad['tokens'][0]['probability']:.1%}" in said
    assert refused("explain", trained.run, "good", "--label", "ugly") == (
        "error: there is no class 'ugly': name one of bad, good"
    )


def test_a_language_model_is_refused(tmp_path):
    compact.save(small_language_model(), tmp_path / "lm.bpr")
    assert refused("explain", "lm.bpr", "good") == (
        "error: lm.bpr is a language model and names no classes: "
        "let it write with 'bayespress generate'"
    )


@needs_node
@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(models(KNOWN_OR_ANY) | networks(KNOWN_OR_ANY), LINES)
def test_numbers_are_those_of_the_exported_module(node, model, texts):  # noqa: F811
    compact.save(model, "m.bpr")
    label = model.labels[-1]
    stdin = "\n".join(texts).encode() + b"\n"
    expected = node.answers(
        model, [[*("explain", text), *chosen] for chosen in ([], [label]) for text in texts]
    )
    found = explanations("m.bpr", stdin=stdin)
    found += explanations("m.bpr", "--label", label, stdin=stdin)
    for text, ours, theirs in zip(texts * 2, found, expected, strict=True):
        for token, other in zip(ours["tokens"], theirs, strict=True):
            starts = (units(text, token["start"]), units(text, token["end"]))
            assert starts == (other["start"], other["end"])
            assert (token["kept"], token["read"]) == (other["kept"], other["read"])
            assert token["effect"] == pytest.approx(other["effect"], abs=1e-4)
            assert token["probability"] == pytest.approx(other["probability"], abs=1e-5)


def units(text, place):
    """Count characters as JavaScript does."""
    return len(text[:place].encode("utf-16-le")) // 2


def labels_model(*bias):
    """A model for several labels at once, each with its bias for the log odds of an empty text."""
    model = random_network(encoder_of(["good", "bad"]), CompactGRU, [[2, 2]], outputs=len(bias),
                           multi_label=True, pooling="mean")  # fmt: skip
    return dataclasses.replace(model, output_bias=np.array(bias, np.float32))


def test_of_several_labels_all_that_are_given_are_named():
    model = labels_model(9, -9, 8)
    lines = shown(model, "good bad", terminal=False).splitlines()
    shares = TextPredictor(model).predict_proba(["good bad"])[0]
    best, second, third = np.argsort(-shares).tolist()
    assert third == 1
    told = [f"class {k} {shares[k]:.1%}" for k in (best, second)]
    assert lines[0] == f"{', '.join(told)}; explained: {told[0]}"
    assert f"+ speaks for class {best}, - against it" in lines


def test_where_no_label_is_given_the_most_probable_one_is_explained():
    lines = shown(labels_model(-9, -20), "good", terminal=False).splitlines()
    assert lines[0].startswith("no label; explained: class 0 0.")
    assert shown(labels_model(9, -20), "good", terminal=False).splitlines()[0] == "class 0 100.0%"


def test_of_two_labels_at_once_neither_is_the_others_opposite():
    picture = plain(shown(labels_model(9, -9), "good bad"))
    assert "for class 0  against class 0" in picture
    assert "toward" not in picture


def test_json_names_the_labels_that_are_given():
    compact.save(labels_model(9, -9, 8), "m.bpr")
    (found,) = explanations("m.bpr", "good", "--label", "class 1")
    assert set(found["labels"]) == {"class 0", "class 2"}
    assert found["labels"][found["label"]] == found["probability"] == max(found["labels"].values())
    assert found["explained"] == "class 1"
    assert found["tokens"][-1]["probability"] < 0.5


def test_a_terminal_shows_the_whole_text_in_colours():
    text = "GOOD,  naïve\n\tbad — new good new (bad good)"
    model = model_of("good", "bad", "naïve")
    written = shown(model, text)
    assert text.expandtabs() in plain(written)
    assert "[+" not in plain(written)
    assert "dim" in "".join(styles(written, "new"))
    assert "bold" in "".join(styles(written, "GOOD"))
    assert styles(written, "(bad") == set()
    assert "strike" in "".join(styles(written, "bad good"))


@pytest.mark.parametrize("outputs", [1, 2])
def test_of_two_classes_each_has_its_own_colour(outputs):
    model = model_of("good", "bad", outputs=outputs)
    by_label = {}
    for text in ("good bad good", "bad bad bad", "good good good"):
        written = shown(model, text)
        for label in model.labels:
            by_label.setdefault(label, set()).add(tuple(styles(written, f"toward {label}")))
    assert all(len(found) == 1 for found in by_label.values())
    assert len({*by_label["class 0"], *by_label["class 1"]}) == 2


@pytest.mark.parametrize("options", [{"terminal": False}, {"no_color": True}])
def test_without_colours_words_carry_signs(options):
    text = "good, bad new"
    model = model_of("good", "bad")
    words = explain(TextPredictor(model), text).words
    good, bad, new = (f"[{word.effect:+.1f}]" for word in words)
    picture = plain(shown(model, text, **options))
    assert f"good{good}, bad{bad} new{new}\n" in picture
    assert "+ speaks for class" in picture


def test_a_file_gets_lines_as_they_are_and_no_colours():
    text = "good bad new " * 20
    written = shown(model_of("good", "bad"), text, terminal=False)
    assert "\x1b" not in written
    assert "[not read:] good bad new good" in written
    lines = written.splitlines()
    assert "54 of 60 words are not read: the model reads 6 at most" in lines
    assert max(len(line) for line in lines if not line.startswith("good")) <= 80


def test_the_strongest_words_come_first_with_effect_and_probability():
    text = "good bad new naïve"
    model = model_of("good", "bad", "naïve")
    found = explain(TextPredictor(model), text)
    rows = [line.split() for line in plain(shown(model, text, most=3)).splitlines()]
    strongest = sorted(found.words, key=lambda word: -abs(word.effect))[:3]
    assert len({word.effect > 0 for word in strongest}) == 2
    expected = [
        [text[w.start : w.end], f"{w.effect:+.2f}", f"{w.probability:.1%}"] for w in strongest
    ]
    assert [row for row in rows if len(row) == 3 and row[1][0] in "+-"] == expected


def test_a_line_of_bars_leads_from_the_first_to_the_last_probability():
    model = model_of("good", "bad")
    found = explain(TextPredictor(model), "good bad")
    picture = plain(shown(model, "good bad"))
    (line,) = [line for line in picture.splitlines() if line.endswith("word by word")]
    _, bars, last, *_ = line.split()
    levels = ["▁▂▃▄▅▆▇█".index(bar) for bar in bars]
    assert levels == [int(8 * word.probability) for word in found.words]
    assert last == f"{found.words[-1].probability:.0%}"


def test_a_text_without_words_says_so():
    for text in ("", " … "):
        assert "no word moved the answer much" in shown(model_of("good"), text, terminal=False)


def test_a_text_cannot_command_the_terminal():
    written = shown(model_of("good"), "\x1b[\x9b\r\n[bold]\x07", terminal=False)
    assert not {"\x1b", "\x9b", "\r", "\x07"} & set(written)
    assert "␛[\ufffd\n[bold" in written
    assert "]␇\n" in written


def test_halves_of_characters_are_shown():
    assert '"text": "good"' in worked("explain", save(), "good \udcff", "--json")
    assert "\\udcff" in worked("explain", save(), "good \udcff")


def save():
    compact.save(model_of("good"), "m.bpr")
    return "m.bpr"
