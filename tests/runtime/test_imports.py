import subprocess
import sys

import pytest

import bayespress
from bayespress.compact import save
from tests.compact.language_strategies import small_language_model
from tests.compact.strategies import small_model

PREDICT = """
import sys
heavy = ["torch", "safetensors", "rich", "pyarrow", "pooch", "click"]
for name in ["torch", "safetensors"]:
    sys.modules[name] = None
import bayespress
assert "numpy" not in sys.modules
print(bayespress.load(sys.argv[1]).predict(["so good", ""]))
assert not [name for name in heavy if sys.modules.get(name) is not None]
"""


GENERATE = PREDICT.replace('predict(["so good", ""])', 'generate("a", 5)').replace(
    "print(", "print(*"
)


def run(script, *arguments):
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_model_runs_where_torch_cannot_be_imported(tmp_path):
    save(small_model(), tmp_path / "model.bpr")
    done = run(PREDICT, tmp_path / "model.bpr")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{bayespress.load(tmp_path / 'model.bpr').predict(['so good', ''])}\n"


def test_a_language_model_writes_where_torch_cannot_be_imported(tmp_path):
    save(small_language_model(), tmp_path / "model.bpr")
    done = run(GENERATE, tmp_path / "model.bpr")
    assert done.returncode == 0, done.stderr
    pieces = bayespress.load(tmp_path / "model.bpr").generate("a", 5)
    assert done.stdout == f"{' '.join(pieces)}\n"


def test_importing_the_package_imports_nothing_heavy():
    done = run(
        "import sys; before = set(sys.modules);"
        "import bayespress; print(bayespress.__version__);"
        "print({'numpy', 'torch', 'json', 'dataclasses'} & (set(sys.modules) - before))"
    )
    assert done.stdout == f"{bayespress.__version__}\nset()\n", done.stderr


@pytest.mark.parametrize("name", bayespress.__all__)
def test_public_names_are_found_and_listed(name):
    assert getattr(bayespress, name).__name__ == name
    assert name in dir(bayespress)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'bayespress' has no attribute 'nothing'"):
        bayespress.nothing  # noqa: B018
