import subprocess
import sys

import pytest

import bayespress
from bayespress.compact import save
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


def run(script, *arguments):
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_model_runs_where_torch_cannot_be_imported(tmp_path):
    save(small_model(), tmp_path / "model.bpr")
    done = run(PREDICT, tmp_path / "model.bpr")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{bayespress.load(tmp_path / 'model.bpr').predict(['so good', ''])}\n"


def test_importing_the_package_imports_nothing_heavy():
    done = run(
        "import sys, bayespress; print(bayespress.__version__);"
        "print({'numpy', 'torch', 'json', 'dataclasses'} & set(sys.modules))"
    )
    assert done.stdout == f"{bayespress.__version__}\nset()\n", done.stderr


@pytest.mark.parametrize("name", bayespress.__all__)
def test_public_names_are_found_and_listed(name):
    assert getattr(bayespress, name).__name__ == name
    assert name in dir(bayespress)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'bayespress' has no attribute 'nothing'"):
        bayespress.nothing  # noqa: B018
