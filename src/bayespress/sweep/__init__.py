"""Search for settings: many runs, chosen and remembered by Optuna, that go on after a kill."""

from bayespress.sweep.plan import SAMPLERS, Done, Plan, front, ranked
from bayespress.sweep.space import Search, parse
from bayespress.sweep.trial import Figures

__all__ = ["SAMPLERS", "Done", "Figures", "Plan", "Search", "front", "parse", "ranked"]
