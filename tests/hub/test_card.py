"""The card: figures, front matter that parses, and words that stay words."""

import math
import re
from dataclasses import replace
from types import MappingProxyType

import pytest
import yaml
from huggingface_hub import ModelCard

from bayespress import compact
from bayespress.compact import CompactGRU
from bayespress.config import Config
from bayespress.errors import ConfigError
from bayespress.hub import Facts, Figure, Release, model_card
from bayespress.hub.citation import CITATION
from bayespress.hub.facts import measured, public, validation_figures
from bayespress.hub.front import escaped, fenced, scalar, to_yaml
from bayespress.runtime import inspect
from bayespress.text.tokens import UNKNOWN
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import encoder_of, random_network
from tests.docs.test_pages import ROOT
from tests.report.helpers import label_history

HOSTILE = (
    "a|b", "`code`", "<script>alert(1)</script>", "[x](http://evil)", "---", "# head", "*b*",
    "a\nb", "\u202eturned", "\x00", "www.evil.example", "https://evil.example", "&amp;", "\\", "no",
    "key: value", "{{ card_data }}", "```", "\ud83d", "emoji \U0001f600",
)  # fmt: skip
FENCED = re.compile(r"^(```+)\w+\n.*?^\1$", re.MULTILINE | re.DOTALL)
FIGURES = (Figure("test", "accuracy", 0.75, 1086), Figure("validation", "accuracy", 0.7408))


def front_of(card):
    return yaml.safe_load(card.split("---\n")[1])


def renamed(model, word):
    """The same model with another word for its most telling one."""
    strongest = max(inspect(model, 1).words, key=lambda one: abs(one.effect)).word
    rows = dict(model.encoder.vocabulary.rows)
    rows[word] = rows.pop(strongest)
    vocabulary = replace(model.encoder.vocabulary, rows=MappingProxyType(rows))
    return replace(model, encoder=replace(model.encoder, vocabulary=vocabulary))


def test_front_matter_is_what_the_hub_reads(demo_model):
    facts = Facts(
        "reviews", {"data": {"source": "imdb"}}, FIGURES, license="mit", languages=("en",)
    )
    card = ModelCard(model_card(demo_model, facts, 2318, "me/reviews"))
    assert card.data.library_name == "bayespress"
    assert card.data.pipeline_tag == "text-classification"
    assert (card.data.license, card.data.language) == ("mit", ["en"])
    assert card.data.datasets == ["stanfordnlp/imdb"]
    assert card.data.metrics == ["accuracy"]
    assert "text-classification" in card.data.tags
    test, validation = card.data.eval_results
    assert (test.dataset_split, test.metric_type, test.metric_value) == ("test", "accuracy", 0.75)
    assert (validation.dataset_split, validation.metric_value) == ("validation", 0.7408)
    assert (test.dataset_name, test.dataset_type) == ("imdb", "stanfordnlp/imdb")


def test_the_three_ratios_and_the_figures_stand_in_the_table(demo_model):
    card = model_card(demo_model, Facts(figures=FIGURES), 2318)
    rows = dict(re.findall(r"^\| ([\w ]+) \| ([^|]+) \|", card, re.MULTILINE))
    assert rows["test accuracy"] == "75.00\N{NO-BREAK SPACE}%"
    assert rows["file"] == "2,318 bytes"
    info = demo_model.info
    for name in ("compression_ratio", "dense_ratio"):
        assert float(rows[name].strip("×")) == pytest.approx(info[name], rel=0.01)
    assert float(rows["size_ratio"].strip("×")) == pytest.approx(
        info["dense_bytes"] / 2318, rel=0.01
    )
    assert rows["words"].replace(",", "") == "{} of {}".format(*info["words"])


def test_kept_words_of_each_class_are_shown(demo_model):
    card = model_card(demo_model, Facts(), 2318)
    for label in demo_model.labels:
        (words,) = re.findall(rf"^\| {label} \| (.*) \|$", card, re.MULTILINE)
        assert words.count(",") == 9


def test_what_is_not_known_is_left_out_and_said(demo_model):
    card = model_card(replace(demo_model, info={}), Facts(), 2318)
    front = front_of(card)
    assert not {"license", "language", "datasets", "metrics", "model-index"} & set(front)
    assert "was not measured" in card
    assert "How it was trained is not known here" in card
    assert "Nobody has said under which licence" in card


def test_a_language_model_is_for_text_generation():
    model = random_language_model(word_encoder(UNKNOWN), 4)
    facts = Facts(figures=(Figure("test", "perplexity", 194.03, 5000),))
    card = model_card(model, facts, 500, "me/letters")
    front = front_of(card)
    assert (front["pipeline_tag"], front["metrics"]) == ("text-generation", ["perplexity"])
    assert "| test perplexity | 194.03 | 5,000 tokens |" in card
    assert "bayespress generate hf://me/letters" in card


@pytest.mark.parametrize("word", HOSTILE, ids=repr)
def test_hostile_words_break_neither_markdown_nor_yaml(demo_model, word):
    plain = model_card(demo_model, Facts("a"), 2318)
    hostile = Facts(word, {"data": {"source": word}}, FIGURES, 1, 2, f"train {word}", {word: word})
    labelled = replace(renamed(demo_model, word), labels=(word, "good"))
    card = model_card(labelled, hostile, 2318)
    front = front_of(card)
    assert front["library_name"] == "bayespress"
    assert front["model-index"][0]["name"] == word.replace("\ud83d", "\ufffd")
    outside = FENCED.sub("", card.partition("---\n\n")[2])
    assert len(re.findall(re.escape(escaped(word)), outside)) >= 4  # title, class, word, source
    for sign in ("<script", "](http", "https://evil", "www.evil", "\u202e", "\x00", "`", "*b*"):
        assert sign not in outside
    heads = [line for line in outside.splitlines() if line.startswith("#")]
    assert heads[1:] == [
        line for line in plain.splitlines() if line.startswith("## ") and "Licence" not in line
    ]
    assert {line.count("|") for line in outside.splitlines() if line.startswith("|")} == {3, 4}


@pytest.mark.parametrize("word", [*HOSTILE, "12", "1e5", "2026-01-01", "~", "", "null", "Yes"])
def test_yaml_gives_every_text_back(word):
    expected = word.replace("\ud83d", "\ufffd")
    written = "\n".join(to_yaml({"key": word, "list": [word], "maps": [{"a": word, "b": 1}]}))
    assert yaml.safe_load(written) == {
        "key": expected,
        "list": [expected],
        "maps": [{"a": expected, "b": 1}],
    }
    assert yaml.safe_load(scalar(word)) == expected


def test_a_fence_cannot_be_ended_from_inside():
    assert fenced("sh", "a\n````\nb").splitlines()[0] == "`````sh"
    assert escaped("```") == "&#96;&#96;&#96;"


def test_infinite_figures_are_left_out():
    facts = Facts(figures=(Figure("test", "perplexity", math.inf), *FIGURES))
    assert facts.figures == FIGURES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license": "My Licence"}, r"identifiers, such as apache-2.0, .* got 'My Licence'"),
        ({"languages": ("English",)}, r"code of ISO 639, .* got 'English'"),
    ],
)
def test_licence_and_languages_have_the_hubs_form(changes, message):
    with pytest.raises(ConfigError, match=message):
        Facts(**changes)


@pytest.mark.parametrize(
    "garbage",
    [
        {"settings": [], "versions": 3, "figures": "no", "epoch": "x", "languages": {"en": 1}},
        {"figures": [3, {}, {"split": "test", "measure": "m", "value": "x"}], "license": "A B"},
        {"settings": {"data": 3}, "languages": [3, "English"], "name": ["x"], "command": 7},
    ],
)
def test_what_a_stranger_writes_wrongly_is_left_out(garbage):
    assert Facts.from_dict(garbage) == Facts()


def test_facts_survive_their_json(demo_model):
    facts = Facts("a", {"data": {"source": "x"}}, FIGURES, 1, 2, "c", {"n": "1"}, "mit", ("en",))
    config = Release(demo_model, facts).config("me/a")
    assert (
        Facts.from_dict({**config, "figures": list(config["figures"]), "languages": ["en"]})
        == facts
    )
    assert config["load"] == "bayespress.load('hf://me/a')"
    assert config["model_bytes"] == len(compact.dumps(demo_model))


def test_paths_of_the_users_machine_are_not_told(demo_model):
    said = {
        "source": "/home/me/secret/reviews.csv",
        "test_source": "/home/me/secret/test.csv",
        "embeddings": "/home/me/secret/vectors.txt",
    }
    flat = public(Config.from_flat(said)).flat()
    assert [flat[key] for key in said] == ["reviews.csv", "test.csv", "vectors.txt"]
    for source in ("imdb", "hf:me/films:small"):
        assert public(Config.from_flat({"source": source})).data.source == source
    local = public(Config.from_flat({"source": "hf:/home/me/secret/films"}))
    assert local.data.source == "films"
    both = public(Config.from_flat({"source": "/a/b.txt:/c/d", "task": "lm"}))
    assert both.data.source == "b.txt:d"


def test_the_card_cites_what_the_citation_file_does():
    known = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"]
    assert re.findall(r"(?<!book)title = \{(.*)\}", CITATION) == [one["title"] for one in known]
    assert re.findall(r"url = \{(.*)\}", CITATION) == [one["url"] for one in known]
    families = [
        re.findall(r"(\w+), \w+", a) for a in re.findall(r"author = \{(.*?)\}", CITATION, re.DOTALL)
    ]
    assert families == [[a["family-names"] for a in one["authors"]] for one in known]


def test_several_labels_are_told_of_by_their_f1():
    encoder = encoder_of(("good", "bad", "naïve"))
    model = random_network(encoder, CompactGRU, [[2]], outputs=3, multi_label=True)
    (record,) = label_history(1)
    figures = (Figure("test", "f1", 0.81234, 9), *validation_figures(record))
    card = model_card(model, Facts("genres", {}, figures), 321)
    assert front_of(card)["metrics"] == ["f1"]
    assert (
        "Its labels, of which a text may have several or none: class 0, class 1, class 2." in card
    )
    assert "| test micro-F1 | 0.8123 | 9 texts |" in card
    assert f"| validation micro-F1 | {record.validation_micro_f1:.4f} |" in card
    assert "accuracy" not in card
    assert re.search(r"\| class \d \| (good|bad|naïve) [+-]\d", card)


def test_several_labels_are_measured_on_the_data_of_the_run(tmp_path):
    model = random_network(encoder_of("ab"), CompactGRU, [[2]], outputs=2, multi_label=True)
    lines = [f"a b {k},class {k % 2};class 0" for k in range(40)]
    (tmp_path / "films.csv").write_text("\n".join(["text,label", *lines]))
    settings = {"source": str(tmp_path / "films.csv"), "label_separator": ";"}
    found = list(measured(model, Config.from_flat(settings)))
    assert [(one.split, one.measure, one.count) for one in found] == [
        ("test", "f1", 6),
        ("validation", "f1", 5),
    ]
