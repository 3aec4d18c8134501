"""What ``results/README.md`` says of the papers' rows is what the runs beside it say."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_table_of_the_papers_rows_is_that_of_the_runs(capsys, monkeypatch):
    spec = importlib.util.spec_from_file_location(
        "table_of_runs", ROOT / "scripts" / "table_of_runs.py"
    )
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    module.main()
    table = capsys.readouterr().out
    assert len(table.splitlines()) >= 18
    assert "[w+g+n-seed1](imdb-fast/w+g+n-seed1) | 84.31 % | 18,133×" in table
    assert table in (ROOT / "results" / "README.md").read_text(encoding="utf-8")
