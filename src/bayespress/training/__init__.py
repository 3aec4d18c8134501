"""Training: the loop, its schedules, and the run folder that it can be resumed from."""

from bayespress.training.finish import (
    Trained,
    finish,
    load_best,
    masked_nll,
    masked_probabilities,
)
from bayespress.training.judge import Judge, judge_of
from bayespress.training.listener import Listener, Several, Silent
from bayespress.training.packing import Packed, Prepared, Rounding, fit_to_size
from bayespress.training.run import RunFolder
from bayespress.training.trainer import Trainer
from bayespress.training.workers import Workers

__all__ = [
    "Judge",
    "Listener",
    "Packed",
    "Prepared",
    "Rounding",
    "RunFolder",
    "Several",
    "Silent",
    "Trained",
    "Trainer",
    "Workers",
    "finish",
    "fit_to_size",
    "judge_of",
    "load_best",
    "masked_nll",
    "masked_probabilities",
]
