"""Runs that are made up, and what can be said of any page and any drawing."""

import dataclasses
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from bayespress.compact import CompactGRU
from bayespress.config import Config
from bayespress.history import EpochRecord
from bayespress.report import ReportedRun
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import encoder_of, random_model, random_network

HOSTILE = "</title></svg><script>alert('x')</script><img src=x onerror=\"1\">&amp;\x00\u202e"
ELSEWHERE = r"(?i)https?:|//[a-z]|url\(|@import|<script|<link rel=\"style"
NAMESPACE = "{http://www.w3.org/2000/svg}"
VOID = ("meta", "link", "br", "img", "input", "hr")


def history(epochs=12, *, language=False, seed=0):
    return [_record(epoch, epochs, language, seed) for epoch in range(1, epochs + 1)]


def label_history(epochs=12):
    """A history of texts with several labels."""
    return [
        dataclasses.replace(
            record,
            train_accuracy=None,
            validation_accuracy=None,
            train_micro_f1=0.4 + 0.01 * record.epoch,
            validation_micro_f1=0.5137 + 0.0123 * record.epoch,
        )
        for record in history(epochs)
    ]


def _record(epoch, epochs, language, seed):
    share = 1 - epoch / (epochs + 1)
    words, gates = max(1, round(2000 * share**3)), max(1, round(40 * share))
    weights = {"embedding": (words, 6000), "weight_ih": (gates, 120), "output": (2, 10)}
    return EpochRecord(
        epoch=epoch,
        seconds=1.5,
        loss=5.0 + share,
        nll=5.0 + share,
        kl=100 * share,
        kl_weight=0.5,
        learning_rate=0.001,
        train_accuracy=None if language else 0.5 + 0.011 * epoch,
        validation_accuracy=None if language else 0.5137 + 0.0123 * epoch + 0.001 * seed,
        validation_nll=4.5 + share if language else None,
        score=epoch if epoch < epochs else 0.0,
        words=(words, 2000),
        dims=None if language else (3, 3),
        neurons=(4, 10),
        gates=(gates, 40),
        paper={},
        weights=weights,
        groups={},
        compression_ratio=1.2 ** (5 * epoch),
        stored_compression_ratio=1.21 ** (5 * epoch),
        dense_ratio=1.05**epoch,
    )


def classifier(words=("good", "bad", "naïve"), outputs=1, density=1.0, **changes):
    live = [number for number in range(16) if number % 3]
    model = random_model(encoder_of(words), 3, 4, live, outputs, seed=1, density=density)
    return dataclasses.replace(model, **changes)


def network(kind=CompactGRU, layers=((3, 2), (2, 2)), outputs=3, **changes):
    """A classifier with several cells."""
    encoder = encoder_of(("good", "bad", "naïve"))
    return random_network(encoder, kind, layers, outputs=outputs, live=0.7, **changes)


def run(name="mine", **changes):
    model = classifier(info={"code": "LLLLLL", "words": [3, 2000], "dense_bytes": 90_000})
    settings = Config.from_flat({"source": "nowhere.csv", "code": "LLLLLL", "seed": 7})
    known = {"history": history(), "config": settings, "model": model, "file_bytes": 321}
    return ReportedRun(name, **{**known, **changes})


def language_run(name="writer", **changes):
    model = random_language_model(word_encoder("<unk>"), 4, inputs=[0, 1, 3], seed=2)
    settings = Config.from_flat({"source": "nowhere.txt", "task": "lm"})
    known = {"history": history(language=True), "config": settings, "model": model}
    return ReportedRun(name, **{**known, **changes})


class Strict(HTMLParser):
    """Takes a page apart; every element that is opened has to be closed in its turn."""

    def __init__(self, content):
        super().__init__()
        self.open, self.seen, self.ids = [], [], []
        self.feed(content)
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs))
        self.seen.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def named(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def text_of(page):
    """Give a page's words without its elements."""
    texts = []
    parser = HTMLParser()
    parser.handle_data = texts.append
    parser.feed(re.sub(r"(?s)<style>.*?</style>", "", page))
    return " ".join(" ".join(texts).split())


def checked_drawing(content):
    """Parse a drawing's file and hold it against what holds for all; give the root."""
    root = ET.fromstring(content)
    assert root.tag == f"{NAMESPACE}svg"
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left, top) == (-12, -12)
    width, height = width - 24, height - 24
    title, described = root.find(f"{NAMESPACE}title"), root.find(f"{NAMESPACE}desc")
    assert title.text
    assert described.text
    assert root.get("aria-labelledby").split() == [title.get("id"), described.get("id")]
    for element in root.iter():
        for key in ("x", "cx", "x1", "x2"):
            assert -1 <= float(element.get(key, 0)) <= width + 1
        for key in ("y", "cy", "y1", "y2"):
            assert -1 <= float(element.get(key, 0)) <= height + 1
    return root
