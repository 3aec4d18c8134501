"""Training: the loop, its schedules, and the run folder that it can be resumed from."""

from bayespress.training.finish import (
    Trained,
    finish,
    load_best,
    masked_nll,
    masked_probabilities,
)
from bayespress.training.listener import Listener, Silent
from bayespress.training.run import RunFolder
from bayespress.training.trainer import Trainer
from bayespress.training.workers import Workers

__all__ = [
    "Listener",
    "RunFolder",
    "Silent",
    "Trained",
    "Trainer",
    "Workers",
    "finish",
    "load_best",
    "masked_nll",
    "masked_probabilities",
]
