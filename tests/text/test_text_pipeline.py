import itertools
import json
import re
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.config import TextConfig
from bayespress.text import ZERO_ROW, TextEncoder, Tokenizer, Vocabulary
from bayespress.text import vocabulary as vocabulary_module

WORDS = st.text("abcdé", min_size=1, max_size=2)
DOCUMENTS = st.lists(st.lists(WORDS, max_size=8), max_size=8)
KINDS = st.sampled_from(["zero", "learned"])


def build(documents, size=5, min_documents=1, unknown="zero"):
    return Vocabulary.build(documents, size=size, min_documents=min_documents, unknown=unknown)


@st.composite
def built(draw):
    documents = draw(DOCUMENTS)
    return build(documents, draw(st.integers(1, 12)), draw(st.integers(1, 3)), draw(KINDS))


@given(st.text())
def test_words_are_what_lies_between_non_word_characters(text):
    expected = [word for word in re.split(r"\W+", text) if word]
    assert list(Tokenizer().words(text)) == expected


@given(st.text())
def test_words_hold_no_line_break_and_can_be_written_as_utf8(text):
    for word in Tokenizer().words(text):
        assert word
        assert "\n" not in word
        assert word.encode().decode() == word


@given(st.text())
def test_lowercase_is_that_of_the_whole_text(text):
    assert list(Tokenizer(lowercase=True).words(text)) == list(Tokenizer().words(text.lower()))


def test_case_is_kept_by_default():
    assert list(Tokenizer().words("Not BAD_1, naïve 漢字!")) == ["Not", "BAD_1", "naïve", "漢字"]


def test_words_are_ranked_by_frequency_then_by_first_appearance():
    vocabulary = build([["b", "a", "c"], ["c", "d"], ["c", "a"]])
    assert list(vocabulary.rows) == ["c", "a", "b", "d"]
    assert list(vocabulary.rows.values()) == [1, 2, 3, 4]
    assert vocabulary.words == (None, "c", "a", "b", "d")


def test_size_and_min_documents_limit_the_words():
    documents = [["a", "a", "a", "b", "c"], ["b", "c"], ["c"]]
    assert dict(build(documents, size=2).rows) == {"a": 1, "c": 2}
    assert dict(build(documents, min_documents=2).rows) == {"c": 1, "b": 2}


@given(built(), st.lists(WORDS), st.integers(1, 12))
def test_ids_are_rows_of_the_table_and_never_too_many(vocabulary, words, max_length):
    ids = vocabulary.ids(words, max_length)
    assert len(ids) <= max_length
    assert all(0 <= row < vocabulary.num_rows for row in ids)


@given(DOCUMENTS, st.lists(WORDS))
def test_every_word_takes_a_time_step_where_unknown_is_zero(documents, words):
    vocabulary = build(documents)
    assert not vocabulary.skips
    ids = vocabulary.ids(words, 1000)
    assert len(ids) == len(words)
    for word, row in zip(words, ids, strict=True):
        assert row == vocabulary.rows.get(word, ZERO_ROW)
        assert row == ZERO_ROW or vocabulary.words[row] == word


def test_words_beyond_the_limit_are_never_split_off():
    words = itertools.chain(["a", "b"], iter_that_must_not_be_read())
    assert build([["a", "b"]]).ids(words, 2) == [1, 2]


def iter_that_must_not_be_read():
    yield "a"
    pytest.fail("read beyond the limit")


def learned(size=5, lexicon="abcdefg"):
    """Word x, the rank-th of the lexicon, belongs to row rank + 3."""
    documents = [list(lexicon[: rank + 1]) for rank in range(len(lexicon))]
    return build(documents, size, unknown="learned")


def test_learned_begins_with_the_start_token_and_ends_with_an_unknown_one():
    assert learned().ids([], 9) == [1, 2]
    assert learned().ids(["a", "b"], 9) == [1, 3, 4, 2]


def test_learned_maps_rarer_words_to_unknown_and_skips_words_outside_of_the_lexicon():
    vocabulary = learned()
    assert vocabulary.skips
    assert vocabulary.num_rows == 8
    assert vocabulary.ids(["c", "zzz", "g", "a", "zzz"], 9) == [1, 2, 2, 3, 2]
    assert vocabulary.words == (None, None, None, "a", "b", None, None, None)


def test_learned_takes_a_lexicon_of_limited_size(monkeypatch):
    monkeypatch.setattr(vocabulary_module, "_LEXICON_SIZE", 4)
    assert sorted(learned().rows) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("max_length", "ids"), [(1, [1]), (2, [1, 3]), (3, [1, 3, 4]), (4, [1, 3, 4, 2])]
)
def test_learned_is_cropped_to_the_first_tokens(max_length, ids):
    assert learned().ids(["a", "b"], max_length) == ids


@given(DOCUMENTS, st.lists(WORDS), st.integers(1, 10))
def test_learned_equals_the_preprocessing_of_the_papers(documents, words, max_length):
    size = 6
    vocabulary = build(documents, size, min_documents=2, unknown="learned")
    counts = {}
    for word in itertools.chain.from_iterable(documents):
        counts[word] = counts.get(word, 0) + 1
    common = [word for word in counts if sum(word in document for document in documents) > 1]
    ranked = sorted(common, key=lambda word: -counts[word])
    ids = [1, *(3 + ranked.index(word) for word in words if word in ranked), 2]
    expected = [row if row < size else 2 for row in ids][:max_length]
    assert vocabulary.ids(words, max_length) == expected


@given(built(), st.data())
def test_restrict_renumbers_kept_rows_and_turns_the_others_to_zero(vocabulary, data):
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=vocabulary.num_rows,
                                       max_size=vocabulary.num_rows)))  # fmt: skip
    words = data.draw(st.lists(WORDS))
    smaller, rows = vocabulary.restrict(keep)
    assert smaller.num_rows == len(rows) + 1
    assert smaller.skips == vocabulary.skips
    assert np.all(np.diff(rows) > 0)
    back = [ZERO_ROW, *rows.tolist()]
    expected = [row if keep[row] else ZERO_ROW for row in vocabulary.ids(words, 20)]
    assert [back[row] for row in smaller.ids(words, 20)] == expected


@given(built())
def test_restrict_drops_rows_that_no_token_refers_to(vocabulary):
    smaller, _ = vocabulary.restrict(np.ones(vocabulary.num_rows, bool))
    special = {smaller.default, smaller.prefix, smaller.suffix} - {None, ZERO_ROW}
    named = {row for row in smaller.rows.values() if row != ZERO_ROW}
    assert named | special == set(range(1, smaller.num_rows))


@given(DOCUMENTS, st.data())
def test_a_restricted_zero_vocabulary_names_only_words_that_have_a_row(documents, data):
    full = build(documents)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=full.num_rows,
                                       max_size=full.num_rows)))  # fmt: skip
    smaller, _ = full.restrict(keep)
    assert list(smaller.rows.values()) == list(range(1, smaller.num_rows))
    assert smaller.words == (None, *smaller.rows)


def test_restrict_keeps_the_words_that_take_a_step_where_others_are_skipped():
    keep = np.zeros(8, bool)
    keep[3] = True
    smaller, rows = learned().restrict(keep)
    assert rows.tolist() == [3]
    assert smaller == Vocabulary(
        MappingProxyType({"a": 1, **dict.fromkeys("bcdefg", 0)}), 2, None, 0, 0
    )
    assert smaller.ids(["b", "zzz", "a"], 9) == [0, 0, 1, 0]


def test_fit_reads_all_of_the_settings():
    config = TextConfig(
        lowercase=True, max_length=3, vocabulary_size=4, min_documents=2, unknown="learned"
    )
    encoder = TextEncoder.fit(["Good, good!", "good bad", "bad"], config)
    assert encoder.tokenizer.lowercase
    assert dict(encoder.vocabulary.rows) == {"good": 3, "bad": 2}
    assert encoder.encode("BAD other GOOD good").tolist() == [1, 2, 3]


@given(built(), st.booleans(), st.integers(1, 6), st.text("abc ,"))
def test_an_encoder_is_its_parts_in_a_row(vocabulary, lowercase, max_length, text):
    encoder = TextEncoder(Tokenizer(lowercase), vocabulary, max_length)
    ids = encoder.encode(text)
    assert ids.dtype == np.int32
    assert ids.ndim == 1
    assert ids.tolist() == vocabulary.ids(encoder.tokenizer.words(text), max_length)


def test_an_encoder_restricts_its_vocabulary_alone():
    encoder = TextEncoder.fit(["so good", "so bad"], TextConfig(min_documents=1, max_length=7))
    smaller, rows = encoder.restrict(np.array([True, False, True, True]))
    assert (smaller.tokenizer, smaller.max_length) == (encoder.tokenizer, 7)
    assert rows.tolist() == [2, 3]
    assert smaller.encode("so good").tolist() == [0, 1]


@given(built(), st.booleans(), st.integers(1, 6), st.lists(WORDS))
def test_an_encoder_survives_json(vocabulary, lowercase, max_length, words):
    encoder = TextEncoder(Tokenizer(lowercase), vocabulary, max_length)
    back = TextEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert back == encoder
    assert list(back.vocabulary.rows) == list(vocabulary.rows)
    assert back.encode(" ".join(words)).tolist() == encoder.encode(" ".join(words)).tolist()
