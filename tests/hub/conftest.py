"""What tests of the hub need: a run, a model file and a hub of the test's own."""

from tests.cli.conftest import _in_a_folder_of_its_own, trained  # noqa: F401 - fixtures
from tests.hub.fixtures import demo, demo_model, hub  # noqa: F401 - fixtures
