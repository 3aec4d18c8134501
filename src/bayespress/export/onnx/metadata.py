"""What the text step of a model needs to know, and the names of its classes, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bayespress.compact import CompactLanguageModel, CompactModel

KEY = "bayespress"
"""The key that has everything, as one JSON object."""


def metadata_of(model: CompactModel) -> Mapping[str, str]:
    """Give the metadata of a model's file by their keys."""
    values: dict[str, Any] = {"text": model.encoder.to_dict()}
    if isinstance(model, CompactLanguageModel):
        values |= {"kind": "language_model", "window": model.window}
    else:
        values |= {"kind": "classifier", "labels": list(model.labels)}
        if model.multi_label:
            values["multi_label"] = True
    # Sorted, as equal models may have their words in another order.
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # A label may have half a pair of surrogates, which UTF-8 does not have: JSON's escape is the
    # same as Python's.
    return {KEY: text.encode("utf-8", "backslashreplace").decode()}
