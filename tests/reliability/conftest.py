"""A run that tests of damage copy, and a folder of its own for each test."""

from tests.cli.conftest import _in_a_folder_of_its_own, trained  # noqa: F401 - fixtures
