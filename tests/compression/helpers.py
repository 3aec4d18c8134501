"""Networks with any part pruned, and what slicing must do to all that belongs to a parameter."""

import torch
from hypothesis import strategies as st

from bayespress.compression import shrink
from bayespress.nn import named_variational_parameters

shares = st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])


def prune_at_random(net, share, group_share, generator):
    """Set log sigmas so that about these shares of weights and group variables are pruned."""
    for _, parameter in named_variational_parameters(net):
        if parameter.log_sigma is None:
            continue
        groups = parameter.mean.dim() == 1
        pruned = torch.rand(parameter.mean.shape, generator=generator) < (
            group_share if groups else share
        )
        with torch.no_grad():
            parameter.mean.normal_(1.0 if groups else 0.0, 0.7, generator=generator)
            log_mean = parameter.mean.abs().log()
            parameter.log_sigma.copy_(log_mean + torch.where(pruned, 2.0, -1.0))


def assert_sliced_alike(net, plan, cuts):
    """Shrink a network in training: values, gradients and Adam's moments must be cut alike.

    `cuts` has the indices that stay of each parameter, dimension by dimension.
    """
    optimizer = torch.optim.Adam(net.parameters())
    for step in range(2):
        for k, parameter in enumerate(net.parameters()):
            parameter.grad = torch.randn(
                parameter.shape, generator=torch.Generator().manual_seed(100 * step + k)
            )
        optimizer.step()
    before = {
        name: (p, p.detach().clone(), p.grad.clone(), optimizer.state[p])
        for name, p in net.named_parameters()
    }
    shrink(net, plan, optimizer)
    in_optimizer = [p for group in optimizer.param_groups for p in group["params"]]
    for name, parameter in net.named_parameters():
        cut = cuts[name.removesuffix(".mean").removesuffix(".log_sigma")]
        _, value, grad, state = before[name]
        for tensor, whole in (
            (parameter, value),
            (parameter.grad, grad),
            (optimizer.state[parameter]["exp_avg"], state["exp_avg"]),
            (optimizer.state[parameter]["exp_avg_sq"], state["exp_avg_sq"]),
        ):
            expected = whole
            for dim, index in enumerate(cut):
                expected = expected[(slice(None),) * dim + (index,)]
            assert torch.equal(tensor, expected), name
        assert any(parameter is p for p in in_optimizer)
        assert optimizer.state[parameter]["step"] == 2
    assert len(optimizer.state) == len(list(net.parameters()))
