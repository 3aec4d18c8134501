"""What fits a size: the loosest threshold and finest rounding that validation data like best."""

import dataclasses

import numpy as np
import pytest

from bayespress.compact import dumps
from bayespress.errors import ConfigError
from bayespress.training import Prepared, Rounding, fit_to_size
from bayespress.training.packing import ROUNDINGS, THRESHOLDS
from tests.compact.strategies import encoder_of, random_model

WORDS = [f"word{number}" for number in range(400)]


def prepare(threshold):
    """The stricter the threshold, the fewer words; row 0 of the output tells how many."""
    count = 400 if threshold is None else max(20, int(240 + 60 * threshold))
    model = random_model(encoder_of(WORDS[:count]), 3, 2, [0, 3], 1)
    return Prepared(model, {"embedding": 0.1 * np.abs(model.embedding)}, threshold)


def by_words(model):
    return float(model.encoder.vocabulary.num_rows)


def against_words(model):
    return -by_words(model)


def test_of_equals_the_smaller_is_taken():
    tried = []
    packed = fit_to_size(prepare, by_words, 10**6, tried.append)
    assert [one.how for one in tried[:2]] == ["float16", "float32"]
    assert (packed.how, packed.merit) == ("float16", 401)


def test_the_file_fits_and_is_the_best_of_those_judged():
    tried = []
    packed = fit_to_size(prepare, by_words, 2_500, tried.append)
    assert packed.size == len(dumps(packed.model)) <= 2_500
    assert packed.merit == max(one.merit for one in tried)
    assert all(one.size <= 2_500 for one in tried)


def test_it_prunes_more_where_rounding_is_not_enough():
    packed = fit_to_size(prepare, by_words, 900)
    assert "log alpha up to" in packed.how
    assert packed.size <= 900


def test_it_goes_on_as_long_as_less_is_better():
    assert fit_to_size(prepare, against_words, 10**6).merit == -by_words(
        prepare(THRESHOLDS[-1]).model
    )


def test_it_ends_after_two_thresholds_that_do_not_help():
    tried = []
    fit_to_size(prepare, by_words, 10**6, tried.append)
    assert len(tried) == 3 * 2  # two files for each of three thresholds


def test_a_size_that_nothing_fits_is_refused_with_the_smallest():
    smallest = min(
        len(dumps(prepare(threshold).rounded(rounding)))
        for threshold in THRESHOLDS
        for rounding in ROUNDINGS
    )
    with pytest.raises(ConfigError, match=f"at most 9 bytes .* the smallest has {smallest}"):
        fit_to_size(prepare, by_words, 9)
    assert fit_to_size(prepare, by_words, smallest).size == smallest


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=str)
def test_a_rounded_model_says_its_precision(rounding):
    prepared = prepare(None)
    prepared = dataclasses.replace(
        prepared, model=dataclasses.replace(prepared.model, info={"code": "LLLLLL"})
    )
    info = prepared.rounded(rounding).info
    assert info["code"] == "LLLLLL"
    assert info.get("precision", "float32") == rounding.precision


def test_roundings_have_names():
    assert [str(Rounding("int8")), str(Rounding("auto", 0.5))] == ["int8", "auto (0.5 sigma)"]
