"""Noise: of the type of what it is added to, from the generator that is given, shared by rows."""

import torch

from bayespress.variational.noise import Share, per_sequence, standard_normal

LIKE = torch.zeros((), dtype=torch.float64)


def seeded():
    return torch.Generator().manual_seed(3)


def test_noise_is_of_the_type_of_what_it_is_like():
    assert standard_normal((2, 3), LIKE, seeded()).dtype is torch.float64
    assert standard_normal((2, 3), LIKE.half(), seeded()).dtype is torch.float16
    assert standard_normal((2,), torch.empty(0, device="meta")).device.type == "meta"


def test_a_batch_draws_for_each_sequence_and_shares_draw_the_same():
    whole = per_sequence(5, (2, 3), LIKE, seeded())
    assert whole.shape == (5, 2, 3)
    torch.testing.assert_close(whole, standard_normal((5, 2, 3), LIKE, seeded()), rtol=0, atol=0)
    for share in (Share(0, 2, 5), Share(2, 5, 5)):
        part = per_sequence(share, (2, 3), LIKE, seeded())
        assert len(part) == len(share)
        torch.testing.assert_close(part, whole[share.first : share.last], rtol=0, atol=0)
