"""The documented rule at its edges; what texts come of it, test_language.py tells."""

import numpy as np
import pytest

from bayespress.runtime.sampling import Sampler


class Fixed:
    """Random numbers that are known."""

    def __init__(self, number):
        self._number = number

    def random(self):
        return self._number


@pytest.mark.parametrize(("number", "chosen"), [
    (0.0, 1),  # the token that is never chosen has a sum of 0, which is not more than 0
    (0.25, 2),  # nor is the sum of a quarter more than a quarter
    (np.nextafter(0.25, 0), 1),
    (0.75, 4),
    (np.nextafter(1, 0), 4),
])  # fmt: skip
def test_the_lowest_token_whose_sum_is_more_is_chosen(number, chosen):
    sampler = Sampler(1.0, 0, never=0)
    sampler._random = Fixed(number)
    # A quarter for each of the last four, in sums that are exact.
    assert sampler.choose(np.array([9, 0, 0, 0, 0], np.float32)) == chosen


def test_a_token_without_probability_is_not_chosen():
    sampler = Sampler(1.0, 0)
    sampler._random = Fixed(np.nextafter(1, 0))
    assert sampler.choose(np.array([0, 0, -1e5], np.float32)) == 1


def test_logits_are_not_changed():
    logits = np.array([1, 2, 3], np.float64)
    Sampler(0.5, 0, never=1).choose(logits)
    assert logits.tolist() == [1, 2, 3]


def test_temperature_zero_draws_no_number():
    sampler = Sampler(0, 0)
    sampler._random = None
    assert sampler.choose(np.array([0, 5, 5], np.float32)) == 1
