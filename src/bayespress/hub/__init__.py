"""Finished models for the Hugging Face hub: what is published, and the card that describes it.

Nothing here needs the package huggingface_hub, but for :class:`bayespress.hub.model.HubModel`,
which pushes and loads.
"""

from bayespress.hub.card import model_card
from bayespress.hub.facts import Facts, Figure
from bayespress.hub.release import Release, release_of

__all__ = ["Facts", "Figure", "Release", "model_card", "release_of"]
