import pytest

from tests.export.node import Node


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    running = Node(tmp_path_factory.mktemp("modules"))
    yield running
    running.close()
