"""Settings that belong together: what a task brings along, and the two schedules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Value = bool | int | float | str | None

SCHEDULES: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "paper": {},
        "fast": {
            "epochs": 300,
            "corrects_epsilon": True,
            "dense_epochs": 1,
            "principal_axes": True,
            "vector_scale": 0.5,
            "finetune_epochs": 8,
            "embedding_range": 0.005,
            "weight_log_sigma": -5.0,
            "group_log_sigma": -3.5,
            "beta2": 0.95,
            "learning_rate": 2e-3,
            "group_learning_rate": 1e-2,
            "log_sigma_learning_rate": 1.2e-2,
            "group_log_sigma_learning_rate": 1.2e-2,
            "kl_weight": 2.0,
            "kl_warmup": 0.087,
            "decay": "linear",
            "decay_after": 0.8,
            "shrink_after": 2,
            "compression_worth": 0.05,
        },
    }
)
"""What each schedule changes for classifiers; ``paper`` is what the defaults say."""

_LM_CHANGES: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "paper": {},
        "fast": {
            "epochs": 30,
            "dense_epochs": 2,
            "principal_axes": False,
            "vector_scale": 1.0,
            "finetune_epochs": 3,
            "beta2": 0.999,
            "group_learning_rate": 2e-3,
            "log_sigma_learning_rate": 6e-3,
            "group_log_sigma_learning_rate": 6e-3,
            "kl_weight": 1.0,
            "kl_warmup": 0.3,
            "decay_after": 0.5,
        },
    }
)
"""How schedules differ for language models."""

_SHARED: Mapping[str, Value] = {"code": "LLRL", "gate_activation": "sigmoid"}
_RATES = (
    "learning_rate",
    "log_sigma_learning_rate",
    "group_learning_rate",
    "group_log_sigma_learning_rate",
)
_TASK_DEFAULTS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "word": {
            **_SHARED,
            "hidden_size": 256,
            "segment_length": 35,
            "carry_state": True,
            "batch_size": 32,
            "clip_norm": 10.0,
            **dict.fromkeys(_RATES, 2e-3),
        },
        "char": {
            **_SHARED,
            # Characters have no stand-in for those that are left out, as words have.
            "min_documents": 1,
            "hidden_size": 256,
            "segment_length": 100,
            "carry_state": False,
            "batch_size": 64,
            "clip_norm": 1.0,
            **dict.fromkeys(_RATES, 2e-3),
        },
    }
)
"""What a language model brings along, by its level: the papers' values, smaller for characters."""


def task_defaults(task: str, level: str) -> Mapping[str, Value]:
    """Tell what a task changes of the defaults, before any schedule.

    Examples
    --------
    >>> task_defaults("classify", "word"), task_defaults("lm", "char")["segment_length"]
    ({}, 100)
    """
    return _TASK_DEFAULTS.get(level, {}) if task == "lm" else {}


def schedule_of(name: str, task: str) -> dict[str, Value]:
    """Give the settings of a schedule; an unknown one has none.

    Examples
    --------
    >>> schedule_of("fast", "classify")["epochs"], schedule_of("paper", "classify")
    (300, {})
    """
    changes = _LM_CHANGES.get(name, {}) if task == "lm" else {}
    return {**SCHEDULES.get(name, {}), **changes}


def scaled_phases(settings: Mapping[str, Value], epochs: Value) -> dict[str, Value]:
    """Divide another number of epochs into phases as these settings divide theirs.

    Examples
    --------
    >>> scaled_phases({"epochs": 100, "dense_epochs": 2, "finetune_epochs": 8}, 25)
    {'dense_epochs': 1, 'finetune_epochs': 2}
    """
    whole = settings.get("epochs")
    if not (isinstance(epochs, int) and isinstance(whole, int) and epochs > 0):
        return {}
    parts = {key: settings[key] for key in ("dense_epochs", "finetune_epochs") if key in settings}
    return {
        # A phase that there is stays, as long as all three fit.
        key: max(part * epochs // whole, int(part > 0 and epochs > 2))
        for key, part in parts.items()
        if isinstance(part, int)
    }
