"""Networks with the parameters of the fixtures that the authors' program computed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from bayespress.compression import KeepMasks
from bayespress.config import ModelConfig
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.sparsity import LanguageModelSparsity

FIXTURES = Path(__file__).parent / "fixtures"
CLASSIFIERS = sorted((FIXTURES / "float64").glob("cls*.npz"))
LANGUAGE_MODELS = sorted((FIXTURES / "float64").glob("lm*.npz"))
LANGUAGE_MOMENTS = sorted((FIXTURES / "float32").glob("lm*.npz"))
MOMENTS = [  # the dense code has no noise, hence no moments
    path for path in sorted((FIXTURES / "float32").glob("cls*.npz")) if "DCDCCD" not in path.stem
]
_GATES = ("ingate", "forgetgate", "cell", "outgate")


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def own_names(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Rearrange arrays that the authors' parameters index into ours, by a classifier's names."""
    ours = _own_names(values, prefix)
    return {name.replace("lstm.", "recurrent.layers.0.0."): value for name, value in ours.items()}


def _own_names(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:

    def get(name: str) -> np.ndarray | None:
        return values.get(f"{prefix}/{name}")

    def stacked(name: str) -> np.ndarray:
        """Four (in, out) matrices or (out,) vectors as one, gates and outputs first."""
        return np.concatenate([np.asarray(get(name.format(gate))).T for gate in _GATES])

    ours = {
        "embedding.weight.mean": get("emb.W"),
        "embedding.weight.log_sigma": get("emb.log_sigma_w"),
        "embedding.z_vocab.mean": get("emb.mu_in"),
        "embedding.z_vocab.log_sigma": get("emb.log_in"),
        "lstm.weight_ih.mean": stacked("lstm.W_in_to_{}"),
        "lstm.weight_hh.mean": stacked("lstm.W_hid_to_{}"),
        "lstm.bias": stacked("lstm.b_{}"),
        "lstm.z_input.mean": get("lstm.mu_in"),
        "lstm.z_input.log_sigma": get("lstm.logsig_in"),
        "lstm.z_hidden.mean": get("lstm.mu_hid"),
        "lstm.z_hidden.log_sigma": get("lstm.logsig_hid"),
        "lstm.z_gates.mean": get("lstm.mu_gates"),
        "lstm.z_gates.log_sigma": get("lstm.logsig_gates"),
        "output.weight.mean": get("dense.W"),
        "output.weight.log_sigma": get("dense.log_sigma"),
        "output.bias": get("dense.b"),
    }
    for name, theirs in (("weight_ih", "lstm.logsig_w_in"), ("weight_hh", "lstm.logsig_w_hid")):
        value = get(theirs)
        if value is not None:
            ours[f"lstm.{name}.log_sigma"] = value.transpose(0, 2, 1).reshape(-1, value.shape[1])
    for name in ("lstm.z_gates.mean", "lstm.z_gates.log_sigma"):
        if ours[name] is not None:
            ours[name] = ours[name].reshape(-1)
    for name in ("output.weight.mean", "output.weight.log_sigma"):
        if ours[name] is not None:
            ours[name] = ours[name].T
    return {name: value for name, value in ours.items() if value is not None}


def own_language_names(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Rearrange as `own_names`; a language model's input weights have a row for every token."""
    ours = _own_names(values, prefix)
    for name in ("lstm.weight_ih.mean", "lstm.weight_ih.log_sigma"):
        if name in ours:
            ours[name] = ours[name].T
    return ours


def build_language_model(fixture: dict[str, np.ndarray], dtype: torch.dtype) -> LanguageModelNet:
    vocab, hidden, _, _ = (int(n) for n in fixture["dims"])
    code = LanguageModelSparsity.from_code(str(fixture["config"])).code
    config = ModelConfig(code=code, hidden_size=hidden, gate_activation="sigmoid", threshold=3.0)
    net = LanguageModelNet(vocab, config, carries_state=bool(fixture["hid_prop"])).to(dtype)
    load_state(net, own_language_names(fixture, "param"), dtype)
    return net


def build(fixture: dict[str, np.ndarray], dtype: torch.dtype) -> TextClassifierNet:
    vocab, emb, hidden, classes, _, _ = (int(n) for n in fixture["dims"])
    config = ModelConfig(
        code=str(fixture["config"]), embedding_size=emb, hidden_size=hidden, threshold=3.0
    )
    net = TextClassifierNet(vocab, classes, config, padding_idx=None).to(dtype)
    load_state(net, own_names(fixture, "param"), dtype)
    return net


def load_state(net: torch.nn.Module, ours: dict[str, np.ndarray], dtype: torch.dtype) -> None:
    state = net.state_dict()
    for name in set(ours) & set(state):
        assert state[name].shape == ours[name].shape, name
        state[name] = torch.from_numpy(np.ascontiguousarray(ours[name])).to(dtype)
    net.load_state_dict(state)


def batch(fixture: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels."""
    return (
        torch.from_numpy(fixture["in/x"]).long(),
        torch.from_numpy(fixture["in/mask"]) > 0,
        torch.from_numpy(fixture["in/y"]).long(),
    )


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)


def assert_masks(fixture: dict[str, np.ndarray], masks: KeepMasks) -> None:
    (cell,) = masks.cells
    for name, actual in (
        ("vocab", masks.vocab),
        ("hidden", cell.hidden),
        ("gates", cell.gates),
        ("w_inp", cell.weight_ih.transpose(1, 2)),
        ("w_hid", cell.weight_hh.transpose(1, 2)),
        ("w_dense", masks.output_weight.t()),
    ):
        expected = fixture[f"masks/{name}"].reshape(actual.shape)
        np.testing.assert_array_equal(actual, expected, err_msg=name)


def assert_moments(fixture: dict[str, np.ndarray], draws: np.ndarray) -> None:
    """Compare mean, variance and covariance of draws, shape ``(count, outputs)``."""
    centred = draws.astype(np.float64) - draws.mean(axis=0, dtype=np.float64)
    covariance = centred.T @ centred / len(draws)
    spread = np.sqrt(np.diag(covariance))
    # Both sides are Monte-Carlo estimates, of outputs with long tails: six standard errors of
    # their difference, the covariance's from the spread of the products that it is the mean of.
    error = 6 * np.sqrt(1 / len(draws) + 1 / 20_000)
    squares = centred**2
    of_products = np.sqrt(squares.T @ squares / len(draws) - covariance**2)
    mean = draws.mean(axis=0)
    np.testing.assert_array_less(np.abs(mean - fixture["mc/mean"].flatten()), error * spread + 1e-5)
    difference = np.abs(covariance - fixture["mc/cov"])
    np.testing.assert_array_less(difference, error * of_products + 1e-6)


class EfficientAdam:
    """Adam as at the end of section 2 of Kingma & Ba 2015: epsilon is not bias-corrected.

    torch.optim.Adam corrects it, which shows in the fifth digit where gradients are near epsilon.
    """

    def __init__(self, parameters, rate, epsilon=1e-8):
        self.rate, self.epsilon, self.t = rate, epsilon, 0
        self.moments = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    @torch.no_grad()
    def step(self):
        self.t += 1
        rate = self.rate * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for parameter, first, second in self.moments:
            first.lerp_(parameter.grad, 1 - 0.9)
            second.lerp_(parameter.grad.square(), 1 - 0.999)
            parameter.sub_(rate * first / (second.sqrt() + self.epsilon))


def train(fixture: dict[str, np.ndarray], net: torch.nn.Module, loss_of) -> list[list[float]]:
    """Take the fixture's five steps; give loss and gradient norm of each."""
    rate, clip, _ = (float(x) for x in fixture["train/lr_clip_trainsize"])
    adam = EfficientAdam(list(net.parameters()), rate)
    steps = []
    for _ in range(5):
        net.zero_grad()
        loss = loss_of()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), clip if clip > 0 else math.inf)
        adam.step()
        steps.append([loss.item(), norm.item()])
    return steps
