"""Rounding: how far weights move, and that the file of what is rounded is small and exact."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, arrays_of, cells_of, dumps, loads, rounded
from bayespress.errors import ConfigError
from tests.compact.language_strategies import language_models, random_language_model, word_encoder
from tests.compact.strategies import encoder_of, models, networks, random_model, random_network

any_models = models() | networks() | language_models()
PRECISIONS = ["float32", "float16", "int8", "int5", "int2", "auto"]
WORDS = [f"word{number}" for number in range(300)]


def classifier(seed=0):
    return random_model(encoder_of(WORDS), 6, 8, range(0, 32, 2), 2, density=0.5, seed=seed)


def sigmas_of(model, share):
    return {name: share * np.abs(array) for name, array in arrays_of(model).items()}


@given(any_models, st.sampled_from(PRECISIONS), st.sampled_from([0.01, 0.5, 3.0]))
def test_what_is_rounded_is_a_model_whose_file_is_exact(model, precision, share):
    small = rounded(model, precision, sigmas_of(model, share))
    back = loads(dumps(small))
    for name, array in arrays_of(small).items():
        assert array.dtype == np.float32
        assert array.shape == arrays_of(model)[name].shape
        assert arrays_of(back)[name].tobytes() == (array + np.float32(0)).tobytes()
    assert small.encoder == model.encoder


@given(any_models, st.sampled_from(PRECISIONS[:-1]))
def test_rounding_twice_is_rounding_once(model, precision):
    small = rounded(model, precision)
    again = rounded(small, precision)
    for name, array in arrays_of(small).items():
        np.testing.assert_array_equal(arrays_of(again)[name], array)


@given(networks(), st.sampled_from(PRECISIONS))
def test_rounding_changes_nothing_but_weights(model, precision):
    small = rounded(model, precision, sigmas_of(model, 0.5))
    assert (small.pooling, small.multi_label, small.labels) == (
        model.pooling, model.multi_label, model.labels,
    )  # fmt: skip
    for (end, cell), (same_end, rounded_cell) in zip(cells_of(model), cells_of(small), strict=True):
        assert (end, type(cell)) == (same_end, type(rounded_cell))
        assert cell.live_gates.tolist() == rounded_cell.live_gates.tolist()


@pytest.mark.parametrize("precision", PRECISIONS[1:])
def test_every_cell_of_a_network_is_rounded(precision):
    model = random_network(encoder_of(WORDS), CompactGRU, [[8, 9], [7, 6]], dims=5, outputs=3)
    small = rounded(model, precision, sigmas_of(model, 0.5))
    for name, array in arrays_of(small).items():
        assert (array != arrays_of(model)[name]).any()
    assert len(dumps(small)) < 0.6 * len(dumps(model))


@given(any_models)
def test_single_precision_changes_nothing(model):
    assert rounded(model, "float32") is model


@given(any_models)
def test_half_precision_has_ten_bits_behind_the_first(model):
    for name, array in arrays_of(rounded(model, "float16")).items():
        original = arrays_of(model)[name]
        np.testing.assert_allclose(array, original, rtol=2.0**-11, atol=2.0**-25)


def test_what_is_too_large_for_half_precision_stays():
    model = classifier()
    embedding = model.embedding.copy()
    embedding[0, 0] = 1e5
    small = rounded(dataclasses.replace(model, embedding=embedding), "float16")
    np.testing.assert_array_equal(small.embedding, embedding)
    assert (small.lstm.bias == model.lstm.bias.astype(np.float16)).all()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_integers_share_the_smallest_step_that_holds_the_largest(bits):
    model = classifier()
    small = rounded(model, f"int{bits}")
    for before, after in zip(model.embedding.T, small.embedding.T, strict=True):
        largest, most = np.abs(before).max(), 2 ** (bits - 1) - 1
        step = 2.0 ** np.ceil(np.log2(largest / most))
        np.testing.assert_array_equal(after / step, np.rint(after / step))
        assert np.abs(after / step).max() <= most
        assert np.abs(after - before).max() <= step / 2
        assert largest / (step / 2) > most


def test_biases_have_ten_bits_whatever_the_weights_have():
    model = classifier()
    bias = rounded(model, "int2").lstm.bias
    step = 2.0 ** np.ceil(np.log2(np.abs(model.lstm.bias).max() / 511))
    np.testing.assert_allclose(bias, model.lstm.bias, atol=step / 2)


@given(st.integers(0, 99), st.sampled_from([0.01, 0.1, 1.0, 4.0]), st.sampled_from([0.0625, 0.5]))
def test_auto_moves_the_median_weight_by_at_most_the_tolerance(seed, share, tolerance):
    model = classifier(seed)
    sigmas = sigmas_of(model, share)
    small = rounded(model, "auto", sigmas, tolerance)
    for before, after, sigma in zip(
        model.embedding.T, small.embedding.T, sigmas["embedding"].T, strict=True
    ):
        kept = before != 0
        moved = np.median(np.abs(after - before)[kept] / sigma[kept])
        assert moved <= max(tolerance, 2.0**-9 / share)


def test_auto_takes_fewer_bytes_the_more_noise_there_was():
    model = classifier()
    sizes = [
        len(dumps(rounded(model, "auto", sigmas_of(model, share)))) for share in (0.01, 0.1, 1.0)
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[2] < len(dumps(rounded(model, "int8")))


def test_auto_without_sigmas_is_int8():
    model = classifier()
    without = rounded(model, "auto")
    deterministic = rounded(model, "auto", sigmas_of(model, 0.0))
    assert dumps(without) == dumps(deterministic) == dumps(rounded(model, "int8"))


@given(any_models)
def test_signs_and_zeros_stay(model):
    small = rounded(model, "auto", sigmas_of(model, 1.0))
    for name, array in arrays_of(small).items():
        if array.ndim == 2:
            np.testing.assert_array_equal(np.sign(array), np.sign(arrays_of(model)[name]))


def test_bytes_of_a_language_model_fall_with_its_bits():
    model = random_language_model(word_encoder(*WORDS), 20, density=0.3)
    sizes = [len(dumps(rounded(model, name))) for name in ("float32", "float16", "int8", "int4")]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.4 * sizes[0]


@pytest.mark.parametrize("name", ["int9", "int1", "int16", "half", "INT8", ""])
def test_an_unknown_precision_is_refused(name):
    with pytest.raises(ConfigError, match="precision must be one of float32, float16, int8, auto"):
        rounded(classifier(), name)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_tolerance_that_is_not_positive_is_refused(tolerance):
    with pytest.raises(ConfigError, match="tolerance must be positive, got"):
        rounded(classifier(), "auto", {}, tolerance)
