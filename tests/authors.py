"""Networks with the parameters of the fixtures that the authors' program computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from bayespress.config import ModelConfig
from bayespress.models import TextClassifierNet

FIXTURES = Path(__file__).parent / "fixtures"
CLASSIFIERS = sorted((FIXTURES / "float64").glob("cls*.npz"))
MOMENTS = [  # the dense code has no noise, hence no moments
    path for path in sorted((FIXTURES / "float32").glob("cls*.npz")) if "DCDCCD" not in path.stem
]
_GATES = ("ingate", "forgetgate", "cell", "outgate")


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def own_names(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Rearrange arrays that the authors' parameters index into ours, by our parameter names."""

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


def build(fixture: dict[str, np.ndarray], dtype: torch.dtype) -> TextClassifierNet:
    vocab, emb, hidden, classes, _, _ = (int(n) for n in fixture["dims"])
    config = ModelConfig(
        code=str(fixture["config"]), embedding_size=emb, hidden_size=hidden, threshold=3.0
    )
    net = TextClassifierNet(vocab, classes, config, padding_idx=None).to(dtype)
    ours = own_names(fixture, "param")
    state = net.state_dict()
    for name in state:
        if name in ours:
            assert state[name].shape == ours[name].shape, name
            state[name] = torch.from_numpy(np.ascontiguousarray(ours[name])).to(dtype)
    net.load_state_dict(state)
    return net


def batch(fixture: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels."""
    return (
        torch.from_numpy(fixture["in/x"]).long(),
        torch.from_numpy(fixture["in/mask"]) > 0,
        torch.from_numpy(fixture["in/y"]).long(),
    )


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)
