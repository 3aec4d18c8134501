"""One tiny run that most tests look at, and a folder of its own for each test."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bayespress.data.downloads import DATA_VARIABLE
from bayespress.storage import CACHE_VARIABLE
from tests.cli.helpers import TINY, rows, worked, write_csv
from tests.data.conftest import server  # noqa: F401 - a fixture
from tests.hub.fixtures import demo, demo_model, hub  # noqa: F401 - fixtures

# The fast schedule is made for more steps than eight epochs of this table have.
FEW_STEPS = (
    *("--no-principal-axes", "--embedding-range", "0.05", "--kl-weight", "1"),
    *("--dense-epochs", "0", "--finetune-epochs", "0", "--decay-after", "0"),
    *("--log-sigma-learning-rate", "0.006", "--group-learning-rate", "0.002"),
    *("--group-log-sigma-learning-rate", "0.006", "--beta2", "0.999"),
    *("--kl-warmup", "0.3", "--compression-worth", "0.01"),
)


@dataclass(frozen=True)
class Trained:
    source: Path
    run: Path
    said: str

    @property
    def model(self):
        return self.run / "model.bpr"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for name in (DATA_VARIABLE, "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A finished run on a small table."""
    folder = tmp_path_factory.mktemp("trained")
    source = write_csv(folder / "reviews.csv", rows())
    said = worked("train", source, *TINY, *FEW_STEPS, "--epochs", "8", "--output", folder / "run")
    return Trained(source, folder / "run", said)


@pytest.fixture
def source(tmp_path):
    """A small table of the test's own."""
    return write_csv(tmp_path / "reviews.csv", rows())
