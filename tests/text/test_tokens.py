"""Tokens of language models: which are chosen, their ids, and the text that ids stand for."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bayespress.config import DataConfig, TextConfig
from bayespress.data import load_text
from bayespress.text import TokenEncoder
from bayespress.text.tokens import END, UNKNOWN

ANY = st.text(st.characters())  # lone surrogates too
WORDS = st.text("abc' ,\n", max_size=40)
LEVELS = st.sampled_from([("word", "words"), ("word", "spaces"), ("char", "words")])


def settings(level="word", tokenizer="spaces", **further):
    return TextConfig(level=level, tokenizer=tokenizer, **{"min_documents": 1, **further})


def fit(text, level="word", tokenizer="spaces", **further):
    return TokenEncoder.fit(text, settings(level, tokenizer, **further))


def decoded(encoder, text):
    return "".join(encoder.decode(encoder.encode(text)))


def test_tokens_are_ranked_by_frequency_then_by_first_appearance():
    assert fit("b a c\nc d c\na").tokens == ("c", "a", END, "b", "d")
    assert fit("banana\nab", "char").tokens == ("a", "b", "n", "\n")


@given(st.one_of(ANY, WORDS), LEVELS)
def test_tokens_are_counted_as_one_by_one(text, level):
    encoder = fit(text, *level)
    one_by_one = [token for line in encoder.lines(text) for token in line]
    assert list(encoder.split(text)) == one_by_one
    first = {token: place for place, token in reversed(list(enumerate(one_by_one)))}
    expected = sorted(first, key=lambda token: (-one_by_one.count(token), first[token]))
    assert encoder.tokens == tuple(expected)


@given(st.one_of(ANY, WORDS), LEVELS)
def test_every_token_of_the_training_text_has_its_id(text, level):
    encoder = fit(text, *level)
    ids = encoder.encode(text)
    assert ids.dtype == np.int32
    assert ids.ndim == 1
    assert [encoder.tokens[number] for number in ids] == list(encoder.split(text))
    assert encoder.unknown(text) == []
    assert encoder.ids == {token: number for number, token in enumerate(encoder.tokens)}


@given(WORDS, WORDS, LEVELS)
def test_other_tokens_are_left_out_where_nothing_stands_for_them(text, other, level):
    encoder = fit(text, *level)
    tokens = list(encoder.split(other))
    known = [token for token in tokens if token in encoder.ids]
    assert [encoder.tokens[number] for number in encoder.encode(other)] == known
    assert encoder.unknown(other) == list(dict.fromkeys(t for t in tokens if t not in known))


@given(WORDS, WORDS, st.integers(1, 4), st.integers(1, 3))
def test_other_words_become_the_unknown_one_where_words_were_cut(text, other, size, lines):
    encoder = fit(text, vocabulary_size=size, min_documents=lines)
    tokens = list(encoder.split(other))
    if len(encoder.ids.keys() & set(encoder.split(text))) < len(set(encoder.split(text))):
        assert {END, UNKNOWN} <= set(encoder.tokens)
        expected = [token if token in encoder.ids else UNKNOWN for token in tokens]
        assert [encoder.tokens[number] for number in encoder.encode(other)] == expected


def test_vocabulary_size_keeps_the_most_frequent_and_what_every_text_needs():
    text = "a a a b b c\n"
    assert fit(text, vocabulary_size=2).tokens == ("a", "b", END, UNKNOWN)
    assert fit(text, vocabulary_size=3).tokens == ("a", "b", "c", END, UNKNOWN)
    assert fit(text, vocabulary_size=4).tokens == ("a", "b", "c", END)
    assert fit("a\nb\n", vocabulary_size=1).tokens == (END, UNKNOWN)
    assert fit("a a <unk> b\n", vocabulary_size=2).tokens == ("a", UNKNOWN, END)
    assert fit("aab", "char", vocabulary_size=1).tokens == ("a",)


def test_min_documents_counts_lines():
    text = "a a a b\nb c\nc\n"
    assert fit(text, min_documents=2).tokens == (END, "b", "c", UNKNOWN)
    assert fit(text, min_documents=3).tokens == (END, UNKNOWN)
    assert fit("aab\nb\n", "char", min_documents=2).tokens == ("b", "\n")


def test_unknown_word_of_the_text_itself_stands_for_all_others():
    encoder = fit("the <unk> of\n")
    assert encoder.tokens == ("the", UNKNOWN, "of", END)
    assert encoder.encode("the king of\n").tolist() == [0, 1, 2, 3]
    assert encoder.unknown("the king of <unk>\n") == ["king"]


def test_no_text_has_no_tokens():
    for level in ("word", "char"):
        empty = fit("", level)
        assert empty.tokens == ()
        assert empty.encode("").shape == empty.encode("ab\n").shape == (0,)
        assert empty.encode("ab\n").dtype == np.int32
        assert list(empty.decode([])) == []


@given(ANY, st.booleans())
@example(text="Σ\nΣÇΣ İ\U0010ffff\x00\ud800", lowercase=True)
def test_characters_come_back_as_they_were(text, lowercase):
    encoder = fit(text, "char", lowercase=lowercase)
    expected = text.lower() if lowercase else text
    assert decoded(encoder, text) == expected
    assert list(encoder.decode(encoder.encode(text))) == list(expected)


@given(ANY, ANY)
def test_unknown_characters_are_left_out(text, other):
    encoder = fit(text, "char")
    assert decoded(encoder, other) == "".join(mark for mark in other if mark in encoder.ids)
    assert encoder.unknown(other) == [mark for mark in dict.fromkeys(other) if mark not in text]


@given(st.one_of(ANY, WORDS), st.booleans())
@example(text="a <unk>\xa0b\u2028c\n\n\td ", lowercase=False)
def test_spaces_change_white_space_alone(text, lowercase):
    text = text.replace(END, "")
    encoder = fit(text, lowercase=lowercase)
    expected = text.lower() if lowercase else text
    normal = "\n".join(" ".join(line.split()) for line in expected.split("\n"))
    assert decoded(encoder, text) == normal


@given(st.one_of(ANY, WORDS))
def test_words_and_punctuation_lose_white_space_alone(text):
    encoder = fit(text, tokenizer="words")
    assert re.sub(r"\s", "", decoded(encoder, text)) == re.sub(r"\s", "", text)
    assert decoded(encoder, text).count("\n") == text.count("\n")
    assert decoded(encoder, decoded(encoder, text)) == decoded(encoder, text)


def test_words_are_runs_with_inner_apostrophes_and_marks_are_single():
    text = "Don't stop: it’s 'so' so-so... naïve_1 漢字\n"
    split = ["Don't", "stop", ":", "it’s", "'", "so", "'", "so", "-", "so", ".", ".", "."]
    assert list(fit("", tokenizer="words").split(text)) == [*split, "naïve_1", "漢字", END]


@pytest.mark.parametrize(
    "text",
    [
        "Good, bad; so: so! what? Yes.\nNo...",
        "(one) [two] {three} costs $5, or 5% of #1…",
        "“double” and ‘single’ marks",
        "don't, it’s\n\n\n(end)\n",
    ],
)
def test_marks_stand_where_one_writes_them(text):
    encoder = fit(text, tokenizer="words")
    assert decoded(encoder, text) == text


def test_sentences_of_the_demo_come_back_as_they_were():
    """But for quotation marks and dashes, of which it cannot be known where they belong."""
    text = load_text(DataConfig(source="demo")).test
    sentences = [" ".join(line.split()) for line in text.split("\n")]
    plain = [
        line for line in sentences if re.fullmatch(r"\w+(?:[,;:.!?)]* [(]?\w+('\w+)?)*.", line)
    ]
    assert len(plain) > len(sentences) / 3
    encoder = fit(text, tokenizer="words")
    assert decoded(encoder, "\n".join(plain)) == "\n".join(plain)


def test_pieces_are_one_for_each_id_and_go_on_after_another():
    encoder = fit("the end , again\n", tokenizer="words")
    the, end, comma, again, line = range(5)
    assert list(encoder.decode([the, end, comma, again, line, the])) == [
        *("the", " end", ",", " again", "\n", "the")
    ]
    assert list(encoder.decode([end, comma], previous=the)) == [" end", ","]
    assert list(encoder.decode([end], previous=line)) == ["end"]
    assert list(encoder.decode([comma])) == [","]


@given(st.one_of(ANY, WORDS), LEVELS)
def test_lowercase_is_that_of_the_whole_text(text, level):
    lower, kept = fit(text, *level, lowercase=True), fit(text.lower(), *level)
    assert lower.tokens == kept.tokens
    assert lower.encode(text).tolist() == kept.encode(text.lower()).tolist()
    assert list(lower.lines(text)) == list(kept.lines(text.lower()))


def test_case_is_kept_by_default():
    assert fit("The the").tokens == ("The", "the")


@given(st.one_of(ANY, WORDS), LEVELS, st.booleans())
def test_an_encoder_survives_json(text, level, lowercase):
    encoder = fit(text, *level, lowercase=lowercase)
    back = TokenEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert back == encoder
    assert back.encode(text).tolist() == encoder.encode(text).tolist()


@pytest.mark.parametrize("tokenizer", ["words", "spaces"])
@pytest.mark.parametrize("level", ["word", "char"])
def test_a_text_is_read_in_blocks_to_the_same_tokens(monkeypatch, tokenizer, level):
    text = "\n".join(f"ΟΔΟΣ Σ{k} It's so.\r ß" for k in range(40)) + "\n\nno end"
    encoder = TokenEncoder(level, tokenizer, True, ())
    whole = [list(line) for line in encoder.lines(text)]
    monkeypatch.setattr("bayespress.text.tokens._BLOCK", 7)
    assert [list(line) for line in encoder.lines(text)] == whole
    assert len(whole) == 42
