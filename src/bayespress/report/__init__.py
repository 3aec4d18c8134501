"""What runs did, as one page that needs no network and as single figures; no torch."""

from bayespress.report.figures import figures_of
from bayespress.report.page import page_of
from bayespress.report.run import KeptWeights, ReportedRun, read_run, read_runs
from bayespress.report.svg import Figure

__all__ = [
    "Figure",
    "KeptWeights",
    "ReportedRun",
    "figures_of",
    "page_of",
    "read_run",
    "read_runs",
]
