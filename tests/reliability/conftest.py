"""A finished run to work on, and a folder of its own for each test."""

from tests.cli.conftest import _in_a_folder_of_its_own, source, trained

__all__ = ["_in_a_folder_of_its_own", "source", "trained"]  # fixtures
