"""Training: the loop, its schedules, and the run folder that it can be resumed from."""

from bayespress.training.listener import Listener, Silent
from bayespress.training.run import RunFolder
from bayespress.training.trainer import Trainer, accuracy, load_best

__all__ = ["Listener", "RunFolder", "Silent", "Trainer", "accuracy", "load_best"]
