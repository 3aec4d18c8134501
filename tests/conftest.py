"""Settings of all tests."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Networks this small are faster on one thread, and test workers share the machine."""
    torch.set_num_threads(1)
