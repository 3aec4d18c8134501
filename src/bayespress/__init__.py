"""Recurrent text models that prune themselves: sparse variational dropout for LSTMs.

A finished model is one small file that runs with numpy alone::

    import bayespress

    model = bayespress.load("sentiment.bpr")
    model.predict(["What a lovely evening!"])

Names are imported when they are first used: importing the package costs nothing.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "BayespressError",
    "CompactClassifier",
    "CompactLanguageModel",
    "Config",
    "HubModel",
    "LanguageModel",
    "SparsityConfig",
    "TextClassifier",
    "TextPredictor",
    "convert",
    "load",
    "save",
    "shrink",
]

if TYPE_CHECKING:
    from bayespress.compact import CompactClassifier, CompactLanguageModel, save
    from bayespress.config import Config
    from bayespress.conversion import convert, shrink
    from bayespress.errors import BayespressError
    from bayespress.estimator import TextClassifier
    from bayespress.hub.model import HubModel
    from bayespress.runtime import LanguageModel, TextPredictor, load
    from bayespress.sparsity import SparsityConfig
else:
    _HOME = {
        "BayespressError": "errors",
        "CompactClassifier": "compact",
        "CompactLanguageModel": "compact",
        "Config": "config",
        "HubModel": "hub.model",
        "LanguageModel": "runtime",
        "SparsityConfig": "sparsity",
        "TextClassifier": "estimator",
        "TextPredictor": "runtime",
        "convert": "conversion",
        "load": "runtime",
        "save": "compact",
        "shrink": "conversion",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
