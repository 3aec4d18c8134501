"""All targets by their names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scripts.fuzz import data, models, runs
from scripts.fuzz.target import Target

TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            models.LOADER,
            runs.CONFIG,
            runs.HISTORY,
            runs.RESULT,
            runs.CHECKPOINT,
            runs.RECORD,
            runs.FACTS,
            data.TABLE,
            data.BULK,
            data.VECTORS,
        )
    }
)
"""What is fuzzed in Python; texts that C reads are apart, in :mod:`scripts.fuzz.c_text`."""
