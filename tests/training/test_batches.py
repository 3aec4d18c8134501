"""Texts as ids, end to end in one array."""

import numpy as np
import pytest

from bayespress.training.batches import EncodedTexts, PackedIds


def test_packed_texts_are_those_that_were_put_in():
    texts = [np.arange(n, dtype=np.int32) for n in (3, 0, 5, 1)]
    packed = PackedIds.of(iter(texts))
    assert [ids.tolist() for ids in packed] == [ids.tolist() for ids in texts]
    assert [ids.tolist() for ids in packed[1:3]] == [[], [0, 1, 2, 3, 4]]
    assert packed[-1].tolist() == [0]
    assert packed.lengths.tolist() == [3, 0, 5, 1]
    new_row = np.array([9, 8, 7, 6, 5], np.int32)
    assert packed.renumber(new_row)[0].tolist() == [9, 8, 7]
    with pytest.raises(IndexError, match="there are 4 texts, not one of number 4"):
        packed[4]
    assert len(PackedIds.of([])) == 0


def test_packed_texts_make_the_same_batches():
    random = np.random.default_rng(1)
    texts = [random.integers(0, 9, n, dtype=np.int32) for n in random.integers(0, 20, 50)]
    labels = np.arange(50)
    new_row = np.arange(9, dtype=np.int32)[::-1].copy()
    for by_length in (True, False):
        both = (
            EncodedTexts(ids, labels).renumber(new_row).batches(8, [1], by_length=by_length)
            for ids in (texts, PackedIds.of(texts))
        )
        for one, other in zip(*both, strict=True):
            assert (one.ids == other.ids).all()
            assert (one.labels == other.labels).all()
