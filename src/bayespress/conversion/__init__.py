"""Models that people already have: into variational twins, and back into smaller plain modules."""

from bayespress.conversion.plain import ShrunkEmbedding
from bayespress.conversion.smaller import shrink
from bayespress.conversion.twins import ConversionWarning, convert, freeze, parameter_groups

__all__ = [
    "ConversionWarning",
    "ShrunkEmbedding",
    "convert",
    "freeze",
    "parameter_groups",
    "shrink",
]
