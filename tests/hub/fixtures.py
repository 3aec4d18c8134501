"""A hub of the test's own, which huggingface_hub takes for the real one; and finished models."""

from pathlib import Path

import huggingface_hub
import pytest

from bayespress import compact
from tests.hub.stub import TOKEN, serving

EXAMPLES = Path(__file__).parents[2] / "examples" / "models"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub without repositories; who asks is logged in."""
    constants = huggingface_hub.constants
    with serving() as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.address)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.partition("/{repo_id}")
        address = served.address + "".join(template[1:])
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
        # Versions before 1.0 have a copy.
        monkeypatch.setattr(
            huggingface_hub.file_download, "HUGGINGFACE_CO_URL_TEMPLATE", address, raising=False
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        _forget_connections()
        yield served
    _forget_connections()


def _forget_connections():
    """Before 1.0, a connection remembers whether the network may be used."""
    forget = getattr(huggingface_hub.utils, "_http", None)
    getattr(forget, "reset_sessions", lambda: None)()


@pytest.fixture(scope="session")
def demo():
    """The demo's model file."""
    return EXAMPLES / "demo.bpr"


@pytest.fixture
def demo_model(demo):
    return compact.load(demo)
