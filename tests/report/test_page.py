"""The page: whole, closed to the network, safe whatever the data say, and true to the history."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from bayespress import data
from bayespress.compact import CompactGRU, CompactLSTM, byte_counts, dumps
from bayespress.config import Config
from bayespress.report import ReportedRun, page_of
from bayespress.report.wording import times
from tests.report.helpers import (
    ELSEWHERE,
    HOSTILE,
    Strict,
    classifier,
    history,
    label_history,
    language_run,
    network,
    run,
    text_of,
)

RUNS = {
    "one": [run()],
    "several": [run("a"), run("b", history=history(30, seed=3)), language_run()],
    "language model": [language_run()],
    "model alone": [ReportedRun("m.bpr", model=classifier(), file_bytes=9, notes=("Alone.",))],
    "not begun": [run(history=(), model=None, file_bytes=None)],
    "one epoch": [run(history=history(1))],
    "no words": [run(model=classifier(words=()))],
    "many classes": [run(model=classifier(labels=tuple("abcdefghijk"), outputs=11))],
    "several cells": [run(model=network())],
    "several labels": [run(model=network(multi_label=True, pooling="max"))],
    "no neurons": [run(model=network(CompactLSTM, [[0], [0]], pooling="mean"))],
    "hostile": [
        run(
            HOSTILE,
            model=classifier((HOSTILE, "good"), labels=(HOSTILE, "b"), info={"words": HOSTILE}),
            result={"versions": {HOSTILE: HOSTILE}, "words": [HOSTILE, 1], "dense_bytes": HOSTILE},
            command=HOSTILE,
            notes=(HOSTILE,),
        )
    ],
}
every_run = pytest.mark.parametrize("runs", RUNS.values(), ids=RUNS)


@every_run
def test_a_page_is_well_formed_and_asks_for_nothing_from_elsewhere(runs):
    content = page_of(runs, HOSTILE, (HOSTILE, "a good, bad film"))
    page = Strict(content)
    assert not re.search(ELSEWHERE, re.sub('base64,[^"]+', "", content))
    assert "default-src 'none'" in content
    assert page.named("html") == [{"lang": "en"}]
    for tag, attributes in page.seen:
        assert "src" not in attributes
        assert attributes.get("href", "data:").startswith("#run" if tag == "a" else "data:")
    assert not page.named("img") + page.named("script")
    assert all(one.get("scope") in ("row", "col") for one in page.named("th"))
    assert all(one["role"] == "img" for one in page.named("svg"))


def test_the_numbers_of_the_page_are_those_of_the_history():
    one = run()
    text = text_of(page_of([one], "t"))
    for record in one.history:
        row = (
            f"{record.epoch} {record.train_accuracy:.2%} {record.validation_accuracy:.2%} "
            f"{record.kl_weight:.2f} {times(record.compression_ratio)} {times(record.dense_ratio)} "
            f"{record.words[0]:,} {record.dims[0]} {record.neurons[0]} {record.gates[0]} 1.5"
        )
        assert row in text.replace(" %", "%")
    assert one.best_epoch == 11
    assert "epoch that is shipped, of all 11 of 12" in text
    assert "training and validation 18.0 s" in text


def test_the_three_ratios_and_the_test_stand_side_by_side():
    result = {
        "best_epoch": 3,
        "test_texts": 1086,
        "test_accuracy_file": 0.7321,
        "compression_ratio": 142.4,
        "dense_ratio": 26.24,
        "dense_bytes": 32100,
        "words": [364, 6088],
    }
    text = text_of(page_of([run("a", result=result), language_run("b")], "t"))
    assert "figure a b letter code" in text
    for row in (
        "test accuracy of the shipped file 73.21 % –",
        "compression_ratio all / kept matrix weights, the papers’ count 142×",
        "dense_ratio parameters before / after removing whole rows and columns 26.2×",
        "bytes of the file 100×",
        "words that are read 364 of 6,088",
        "epoch that is shipped, of all 3 of 12",
    ):
        assert row in text


def test_a_language_model_is_measured_by_its_own_figures_and_writes():
    text = text_of(page_of([language_run(result={"test_nll_file": 2.0, "test_tokens": 9})], "t"))
    assert "test perplexity of the shipped file 7.39" in text
    assert "test accuracy" not in text
    assert "Written by the model: 60 tokens, temperature 0.8, seed 1." in text
    assert "Heaviest tokens" in text
    told = text_of(page_of([language_run()], "t", ("the cat",)))
    assert "seed 1. the cat" in told


def test_a_character_model_is_measured_in_bits():
    settings = Config.from_flat({"source": "x.txt", "task": "lm", "level": "char"})
    one = language_run(config=settings, model=None, result={"test_nll_file": 1.0})
    text = text_of(page_of([one], "t"))
    assert "test bits per character of the shipped file 1.4427" in text
    assert "Bits per character by epoch" in text


def test_gates_stand_cell_by_cell():
    text = text_of(page_of([run(model=network())], "t"))
    for name in ("forwards", "backwards"):
        for layer in (1, 2):
            assert f"Gates: layer {layer}, {name}" in text
            assert f"layer {layer}, {name} gate computed constant" in text
    assert {"reset", "update", "new"} <= set(text.split())
    assert "of 27 gates of 9 neurons are computed" in text
    assert "An update gate z at 1 keeps the state" in text
    alone = text_of(page_of([run(model=network(CompactGRU, [[2]]))], "t"))
    assert "layer 1" not in alone
    assert "A forget gate at 1 keeps the state" in text_of(page_of([run()], "t"))


def test_several_labels_are_measured_by_f1():
    result = {
        "test_texts": 9, "test_micro_f1_file": 0.81234, "test_macro_f1_file": 0.7,
        "test_exact_match_file": 0.625,
    }  # fmt: skip
    one = run(history=label_history(), model=network(multi_label=True), result=result)
    assert one.kind == "labels"
    text = text_of(page_of([one], "t")).replace(" %", "%")
    assert "test micro-F1 of the shipped file 0.8123" in text
    assert "test macro-F1 mean of the labels 0.7000" in text
    assert "exact match test texts whose labels are all right 62.50%" in text
    assert "in the shipped epoch micro-F1 0.6490" in text
    assert "Micro-F1 by epoch" in text
    assert "epoch training micro-F1 validation" in text
    for record in one.history:
        assert (
            f"{record.epoch} {record.train_micro_f1:.4f} {record.validation_micro_f1:.4f}" in text
        )
    assert "ccuracy" not in text
    assert run(history=label_history(), model=None).kind == "labels"
    assert run(history=[], model=network(multi_label=True)).kind == "labels"
    both = text_of(page_of([one, run("other")], "t"))
    assert "Micro-F1 of mine by epoch" in both
    assert "Accuracy, % of other by epoch" in both


def test_answers_are_held_against_the_labels_of_the_test_texts(tmp_path):
    words = "good bad naïve film plot of the it"
    lines = [f"{words} {k},{'class 0;class 2' if k % 2 else ''}" for k in range(40)]
    (tmp_path / "films.csv").write_text("\n".join(["text,label", *lines]))
    settings = {"source": str(tmp_path / "films.csv"), "label_separator": ";", "max_length": 8}

    def told(bias):
        model = network(CompactLSTM, [[2]], outputs=3, multi_label=True)
        weight, bias = np.zeros_like(model.output_weight), np.array(bias, np.float32)
        model = dataclasses.replace(model, output_weight=weight, output_bias=bias)
        return text_of(page_of([run(model=model, config=Config.from_flat(settings))], "t"))

    both, none, middle = told([3, -3, 3]), told([-3, -3, -3]), told([-3, 3, -3])
    assert "; right" in both
    assert "; it has no label" in both
    assert "; right" in none
    assert "; its labels are class 0 , class 2" in none
    assert "right;" not in middle


def test_of_several_labels_all_that_are_given_are_named():
    def told(bias):
        model = network(CompactLSTM, [[2]], outputs=len(bias), multi_label=True)
        model = dataclasses.replace(
            model,
            output_weight=np.zeros_like(model.output_weight),
            output_bias=np.array(bias, np.float32),
        )
        return text_of(page_of([run(model=model)], "t", ["good"])).replace(" %", "%")

    assert "class 2 88.08%, class 0 73.11%; marked: class 2" in told([1, -1, 2])
    assert "no label; the most probable one is class 1 26.89%; marked: class 1" in told([-2, -1])
    assert "marked" not in told([1])


def test_texts_of_several_labels_are_shown_without_a_verdict(monkeypatch):
    words = "so very long and so very dull a text as this"
    test = SimpleNamespace(texts=[f"good {words}"] * 9, labels=[("a", "b")] * 9)
    monkeypatch.setattr(data, "is_at_hand", lambda _: True)
    monkeypatch.setattr(data, "load_split", lambda *_: test)
    text = text_of(page_of([run(model=network(multi_label=True))], "t"))
    assert "Of the run’s test data." in text
    assert not re.search("; right|its label is", text)


def test_what_is_missing_is_said():
    text = text_of(page_of([run("gone", notes=("There is no model.",), model=None)], "t"))
    assert "gone : There is no model." in text
    assert "There is no model yet that could read texts." in text
    assert "those of the network (best.safetensors) were not read" in text_of(page_of([run()], "t"))


def test_texts_are_marked_by_sign_and_number_not_by_colour_alone():
    content = page_of([run()], "t", ["good zebra"])
    (good,) = re.findall(r"<b class=\"[^\"]*\"[^>]*>good<sup>[+\u2212]\d\.\d</sup></b>", content)
    assert re.search(r'class="(for|against) numbered"', good)
    assert re.search(r'title="[+\u2212]\d\.\d\d, then [\d.]+\W%"', good)
    assert re.search(r'<span class="pruned[^"]*"[^>]*>zebra', content)


def test_data_that_are_not_at_hand_are_said_and_examples_take_their_place():
    text = text_of(page_of([run()], "t"))
    assert "Example sentences; the run’s test data (nowhere.csv) are not at hand." in text
    assert {"lovely", "evening", "mess", "Shares"} <= set(text.split())


def test_nothing_is_downloaded_for_texts(monkeypatch):
    monkeypatch.setattr(data, "load_split", lambda *_: pytest.fail("the data were read"))
    for source in ("hf:owner/name", "imdb"):
        monkeypatch.setenv("BAYESPRESS_CACHE", "/nonexistent")
        monkeypatch.delenv("BAYESPRESS_DATA", raising=False)
        one = run(config=Config.from_flat({"source": source}))
        assert "are not at hand" in text_of(page_of([one], "t"))


def test_texts_of_the_test_data_are_of_every_class_and_one_is_a_mistake(monkeypatch):
    words = "so very long and so very dull a text as this"
    texts = [f"{word} {words}" for word in ("good", "bad", "naïve") * 3]
    labels = ["0", "1", "0", "0", "1", "1", "1", "0", "0"]
    test = SimpleNamespace(texts=texts, labels=labels)
    monkeypatch.setattr(data, "is_at_hand", lambda _: True)
    monkeypatch.setattr(data, "load_split", lambda *_: test)
    text = text_of(page_of([run(model=classifier(labels=("0", "1")))], "t"))
    assert "Of the run’s test data." in text
    assert len(re.findall(r"%; right", text)) + len(re.findall(r"%; its label is", text)) >= 2


def test_every_byte_of_the_file_is_accounted_for():
    for model in (classifier(), language_run().model):
        assert sum(byte_counts(model).values()) == len(dumps(model))
    text = text_of(page_of([run()], "t"))
    assert "All 3 words" in text
    assert f"Where {len(dumps(run().model)):,} bytes go" in text


def test_the_command_and_all_settings_are_shown():
    text = text_of(page_of([run(command="bayespress train x --seed 7")], "t"))
    assert "bayespress train x --seed 7" in text
    assert "Seed 7." in text
    assert 'source = "nowhere.csv"' in text


def test_a_models_notes_of_a_wrong_kind_do_no_harm():
    info = {"dense_bytes": "many", "words": 7, "compression_ratio": "x", "code": 5}
    one = dataclasses.replace(run(), config=None, history=(), model=classifier(info=info))
    assert "shipped file model.bpr, all included 321 bytes" in text_of(page_of([one], "t"))
