"""Finished models in other languages and formats."""
