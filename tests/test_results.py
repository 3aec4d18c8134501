"""What ``results/README.md`` says of the papers' rows is what the runs beside it say."""

from pathlib import Path

from tests.loading import load_file

ROOT = Path(__file__).parents[1]


def test_the_table_of_the_papers_rows_is_that_of_the_runs(capsys):
    load_file(ROOT / "scripts" / "table_of_runs.py").main()
    table = capsys.readouterr().out
    assert len(table.splitlines()) >= 18
    assert "[w+g+n-seed1](imdb-fast/w+g+n-seed1) | 84.31 % | 18,133×" in table
    assert table in (ROOT / "results" / "README.md").read_text(encoding="utf-8")
