"""Compiled kernels: what training spends its time on, in C, built on the user's machine at need.

Without a C compiler everything works and gives the same numbers up to rounding, only slower.
"""

from bayespress.kernels.build import SWITCH, BuildError
from bayespress.kernels.library import (
    Adam,
    Approximation,
    Gradients,
    GruGradients,
    GruRecurrence,
    Library,
    Moments,
    OutputLoss,
    Recurrence,
    Rows,
    address,
    library,
    needed,
    problem,
    use,
)
from bayespress.kernels.threads import ranges, run

__all__ = [
    "SWITCH",
    "Adam",
    "Approximation",
    "BuildError",
    "Gradients",
    "GruGradients",
    "GruRecurrence",
    "Library",
    "Moments",
    "OutputLoss",
    "Recurrence",
    "Rows",
    "address",
    "library",
    "needed",
    "problem",
    "ranges",
    "run",
    "use",
]
