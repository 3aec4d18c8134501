"""Arrays as bytes: every way of writing them is exact, and the smallest is taken."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bayespress.compact.bits import ByteReader, pack_flags, pack_size, read_flags, read_size
from bayespress.compact.blocks import pack_array, read_array
from bayespress.compact.layout import DamageError
from bayespress.compact.naturals import pack_naturals, read_naturals
from bayespress.compact.words import pack_words, read_words

SIDES = hnp.array_shapes(min_dims=1, max_dims=2, min_side=0)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
FLAGS = hnp.arrays(bool, st.integers(0, 70))


def reader_of(data):
    return ByteReader(memoryview(data))


def read_back(read, data, *arguments):
    reader = reader_of(data)
    result = read(reader, *arguments)
    reader.end()
    return result


def sparse(shape, density, values, seed=0):
    random = np.random.default_rng(seed)
    array = values(random, shape) * (random.random(shape) < density)
    return array.astype(np.float32)


def normal(random, shape):
    return random.normal(size=shape)


def of_few_bits(bits):
    def values(random, shape):
        fractions, exponents = np.frexp(random.normal(size=shape))
        return np.ldexp(np.rint(fractions * 2 ** (bits + 1)), exponents - bits - 1)

    return values


def multiples(random, shape):
    return random.integers(-5, 6, shape) * 0.25


@given(FLAGS)
def test_flags_come_back(flags):
    assert read_back(read_flags, pack_flags(flags), len(flags)).tolist() == flags.tolist()


@given(st.integers(0, 2**34))
@example(127)
@example(128)
def test_a_size_comes_back(size):
    assert read_back(read_size, pack_size(size)) == size


def test_a_size_that_does_not_end_is_refused():
    with pytest.raises(DamageError, match="a number does not end"):
        read_size(reader_of(b"\xff" * 9))


@given(hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 2**31 - 1)))
@example(np.zeros(5, np.int64))
@example(np.array([2**31 - 1, 0, 0, 0]))
def test_natural_numbers_come_back(numbers):
    data = pack_naturals(numbers)
    assert read_back(read_naturals, data, len(numbers)).tolist() == numbers.tolist()


@pytest.mark.parametrize("mean", [0.5, 3, 100])
def test_natural_numbers_take_little_more_than_their_entropy(mean):
    share = 1 / (1 + mean)
    numbers = np.random.default_rng(0).geometric(share, 5000) - 1
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share)) / share
    assert 8 * len(pack_naturals(numbers)) < 5000 * 1.1 * entropy + 500


@pytest.mark.parametrize(("data", "count", "message"), [
    (b"\0\1", 17, "its sizes ask for 17 numbers where 2 bytes are left"),
    (b"\0\1", 2**34, "its sizes ask for 17179869184 numbers where 2 bytes are left"),
    (b"\x1f", 1, "numbers are split at bit 31, more than 30"),
    (b"\0\1\1", 2, "the upper parts of numbers do not fit their count"),
    (b"\0\1\3", 1, "the upper parts of numbers do not fit their count"),
    (b"\0\2\1\0", 1, "the upper parts of numbers do not fit their count"),
    (b"\0\0", 1, "the upper parts of numbers do not fit their count"),
    (b"\1\2\1\1", 1, "a bitmap has bits behind its end"),
])  # fmt: skip
def test_natural_numbers_that_do_not_fit_are_refused(data, count, message):
    with pytest.raises(DamageError, match=message):
        read_naturals(reader_of(data), count)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=14), max_size=8))
@example(["naïve", "naïf", "naïf", "", "n" * 30, "n" * 29])
def test_words_come_back(words):
    assert read_words(pack_words(words)) == words


@pytest.mark.parametrize(("data", "message"), [
    (b"a\xf5b", "bytes stand before the first word"),
    (b"\xf5a\xf7b", "a word shares more than there is"),
])  # fmt: skip
def test_words_that_do_not_fit_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read_words(data)


@given(hnp.arrays(np.float32, SIDES, elements=FINITE), st.booleans())
@example(np.array([0.0, -0.0, 1.0, -1.0], np.float32), True)
@example(np.array([3e38, 1e-45, -1e-45, 0], np.float32), True)
@example(np.array([[65504, 65536], [2**-24, 2**-25]], np.float32), True)
def test_an_array_comes_back_bit_by_bit(array, allow_gaps):
    packed = pack_array(array, allow_gaps=allow_gaps)
    back = read_back(read_array, packed, array.shape)
    assert back.dtype == np.float32
    assert back.tobytes() == (array + np.float32(0)).tobytes()
    assert len(packed) <= 1 + 4 * array.size
    if not allow_gaps:
        assert 8 * len(packed) >= array.size


@given(
    SIDES,
    st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    st.sampled_from([normal, multiples, of_few_bits(0), of_few_bits(3), of_few_bits(12)]),
    st.integers(0, 99),
)
def test_numbers_of_few_bits_come_back(shape, density, values, seed):
    array = sparse(shape, density, values, seed)
    back = read_back(read_array, pack_array(array), shape)
    assert back.tobytes() == (array + np.float32(0)).tobytes()


@pytest.mark.parametrize(("values", "density", "kind", "bits"), [
    (normal, 1.0, 0, 32),
    (of_few_bits(9), 1.0, 3, 15),
    (of_few_bits(2), 1.0, 3, 6.5),
    (multiples, 1.0, 2, 4.5),
    (normal, 0.6, 4, 33.8),
    (multiples, 0.01, 10, 13),
    (of_few_bits(2), 0.01, 11, 15),
])  # fmt: skip
def test_the_smallest_way_is_taken(values, density, kind, bits):
    array = sparse(4000, density, values)
    packed = pack_array(array)
    assert packed[0] == kind
    assert 8 * len(packed) < bits * np.count_nonzero(array) + 100


def test_half_precision_takes_two_bytes():
    array = np.random.default_rng(0).normal(size=500).astype(np.float16).astype(np.float32)
    array[0] = 3e-6  # below the smallest normal number of 16 bits: few bits, far from the others
    array[0] = np.float16(array[0])
    assert len(pack_array(array)) <= 1 + 2 * 500


@pytest.mark.parametrize("shape", [(5, 400), (400, 5)])
def test_rows_or_columns_are_written_apart_where_they_differ(shape):
    array = sparse(shape, 1.0, multiples)
    scale = 10.0 ** np.arange(5)
    array = (array * (scale[:, None] if shape[0] == 5 else scale)).astype(np.float32)
    packed = pack_array(array)
    assert packed[0] == (16 if shape[0] == 5 else 17)
    np.testing.assert_array_equal(read_array(ByteReader(memoryview(packed)), shape), array)


@pytest.mark.parametrize(("data", "shape", "message"), [
    (b"\x0c", (3,), "a block is of the unknown kind 12"),
    (b"\x12", (3, 3), "a block is of the unknown kind 18"),
    (b"\x10\x10", (1, 3), "a block is of the unknown kind 16"),
    (b"\x11", (3,), "a vector claims to have rows and columns"),
    (b"\x03\x0d\0", (1,), "numbers have 13 bits behind the first, more than 12"),
    (b"\x0a\1\2\3\1\1", (3,), "gaps lead behind the end of an array"),
    (b"\x0a\1\0\1\x20", (3,), "gaps lead behind the end of an array"),
])  # fmt: skip
def test_blocks_that_do_not_fit_are_refused(data, shape, message):
    with pytest.raises(DamageError, match=message):
        read_array(reader_of(data), shape)


def test_more_memory_than_was_granted_is_refused():
    with pytest.raises(DamageError, match="its sizes ask for 1,001 bytes of memory, over 1,000"):
        ByteReader(memoryview(b""), 1000).claim(1001)
