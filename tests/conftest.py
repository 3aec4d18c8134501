"""Settings of all tests."""

import signal
import threading

import pytest
import torch
from hypothesis import Phase, settings

# How long an example takes says nothing on a machine that others share.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
# Mutants are to be found, not to be made small; see `make mutants`.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Networks this small are faster on one thread, and test workers share the machine."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _ctrl_c_ends_the_tests():
    """The program leaves it to end its own process at once."""
    before = signal.getsignal(signal.SIGINT)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, before)
