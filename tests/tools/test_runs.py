"""`bert runs`: what a terminal, a table and a page show."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bert.errors import UserError
from bert.tools import runs
from bert.training import curves, past_runs
from tests import browser

ROOT = Path(__file__).parents[2]


def write(folder, number, **flags):
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "id": str(number),
        "status": "finished",
        "start": "2026-11-30T00:33:17+00:00",
        "seconds": 61.4,
        "flags": {"output_dir": str(folder), "optimizer": "adamw", **flags},
        "figures": {"eval_accuracy": 0.8 + number / 100, "loss": 0.41234567},
    }
    with (folder / "runs.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")


@pytest.fixture
def two(tmp_path):
    write(tmp_path / "a", 1, learning_rate=2e-5)
    write(tmp_path / "b", 2, learning_rate=3e-5, use_xla=True)
    return tmp_path


def test_runs_stand_side_by_side(two):
    lines = list(runs.as_text(past_runs.find([str(two)])))
    assert lines[0].endswith("/a, finished, 61 s")
    assert lines[1].endswith("/b, finished, 61 s")
    assert lines[2:] == [
        "",
        "                     1        2",
        "learning_rate    2e-05    3e-05",
        "use_xla              -     true",
        "",
        "eval_accuracy     0.81     0.82",
        "loss           0.41235  0.41235",
    ]


def test_many_runs_and_flags_fit_in_80_columns(tmp_path):
    for number in range(25):
        write(
            tmp_path / f"{number}_{'long_name_of_a_run' * 6}",
            number,
            **{f"flag_of_some_length_{i}": number * i for i in range(40)},
            train_file=f"/data/{'deep/' * 20}{number}.csv",
        )
    lines = list(runs.as_text(past_runs.find([str(tmp_path)])))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for number in range(1, 26):
        assert f" {number}" in text
    assert len(lines) < 900


def test_one_run_shows_its_figures(tmp_path):
    write(tmp_path, 1)
    lines = list(runs.as_text(past_runs.find([str(tmp_path)])))
    assert [line.split() for line in lines[3:]] == [
        ["eval_accuracy", "0.81"],
        ["loss", "0.41235"],
    ]


def test_a_run_without_figures_is_a_line(tmp_path):
    (tmp_path / "runs.jsonl").write_text('{"id": "a", "status": "started"}\n')
    (line,) = runs.as_text(past_runs.find([str(tmp_path)]))
    assert line.endswith(", goes on, or was killed")


def test_a_table_has_a_row_for_each_run(two):
    table = runs.as_csv(past_runs.find([str(two)])).splitlines()
    rows = list(csv.DictReader(table))
    assert [row["learning_rate"] for row in rows] == ["2e-05", "3e-05"]
    assert rows[0]["loss"] == "0.41234567"
    assert rows[0]["status"] == "finished"
    assert "optimizer" not in rows[0]


def test_a_page_has_the_curves_of_a_folder_once(two, monkeypatch):
    write(two / "a", 3, learning_rate=2e-5)  # went on there
    curve = curves.Curve([1, 2], [1.0, 0.5])
    read = []

    def found(folder):
        read.append(folder)
        return {"loss": curve, "global_step/sec": curve}

    monkeypatch.setattr(curves, "read", found)
    path = two / "page.html"
    runs.write_page(past_runs.find([str(two)]), str(path), "Mine")
    page = path.read_text()
    browser.check_html(page)
    assert page.count("<svg") == 1
    assert read == [str(two / "a"), str(two / "b")]
    assert "loss by step" in page


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "bert", "runs", *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_takes_folders_among_its_flags(two):
    done = run(two / "a", f"--csv={two / 'table.csv'}", two / "b")
    assert done.returncode == 0, done.stderr
    assert len((two / "table.csv").read_text().splitlines()) == 3
    assert "learning_rate" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "values", "message"),
    [
        ([], {}, r"Expected folders: bert runs DIR…"),
        (["a"], {"html": "x", "csv": "x"}, "must be two files"),
        (["a"], {"html": "missing/x"}, "--html=missing/x, which is in a fold"),
        (["a"], {"csv": "."}, "--csv=., which is a folder"),
    ],
)
def test_wrong_flags_are_refused(words, values, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        runs.Config(words, **{"html": None, "csv": None, **values})


def test_a_diary_is_not_replaced(two):
    before = (two / "a/runs.jsonl").read_bytes()
    done = run(two, f"--csv={two / 'a/runs.jsonl'}")
    assert done.returncode == 1
    assert "has the runs themselves" in done.stderr
    assert (two / "a/runs.jsonl").read_bytes() == before
