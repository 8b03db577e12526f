"""Runs that diaries tell of: found, and held against one another."""

import json

import pytest
from absl import logging

from bert.errors import UserError
from bert.training import past_runs


def write(folder, *entries):
    folder.mkdir(parents=True, exist_ok=True)
    lines = [e if isinstance(e, str) else json.dumps(e) for e in entries]
    (folder / "runs.jsonl").write_text("\n".join(lines) + "\n")


def entry(name, **more):
    return {"id": name, "status": "finished", "seconds": 61.4, **more}


def test_runs_are_found_below_folders_once(tmp_path):
    write(tmp_path / "b/c", entry("2"), entry("3"))
    write(tmp_path / "a", entry("1"))
    folders = [str(tmp_path), str(tmp_path / "b")]
    found = past_runs.find(folders)
    assert [run.entry["id"] for run in found] == ["1", "2", "3"]
    assert found[1].folder == str(tmp_path / "b/c")
    remote = past_runs.find([f"file://{tmp_path}"])
    assert [run.entry["id"] for run in remote] == ["1", "2", "3"]


def test_broken_lines_are_named_and_left_out(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *args: told.append(text % args)
    )
    write(tmp_path, entry("1"), '{"id": "2", "sta', "[]", entry("3"), "{}")
    found = past_runs.find([str(tmp_path)])
    assert [run.entry.get("id") for run in found] == ["1", "3", None]
    assert told == [
        f"{tmp_path}/runs.jsonl: 2 line(s) are no run and left out: 2, 3"
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "which is no folder"),
        (lambda path: path.touch(), "which is no folder"),
        (lambda path: path.mkdir(), "a folder without one"),
        (lambda path: write(path, "[]"), "no such line in .*runs.jsonl"),
    ],
)
def test_a_folder_without_runs_is_refused(tmp_path, make, message):
    make(tmp_path / "runs")
    with pytest.raises(UserError, match=message):
        past_runs.find([str(tmp_path / "runs")])


def test_only_what_differs_is_named(tmp_path):
    flags = {"output_dir": "x", "learning_rate": 1.0, "random_seed": None}
    write(
        tmp_path,
        entry(
            "1",
            flags=flags,
            seed=7,
            data=[{"file": "/a/train.csv", "sha256": "0123456789"}],
            devices={"cpus": 2, "gpus": []},
            versions={"keras": "3.15.1"},
            commit="0" * 40,
        ),
        entry(
            "2",
            flags={**flags, "output_dir": "y", "use_xla": True},
            seed=8,
            data=[{"file": "/b/train.csv", "sha256": "0123456788"}],
            devices={"cpus": 2, "gpus": ["H200"]},
            versions={"keras": "3.16.0"},
            commit="0" * 40,
        ),
    )
    runs = past_runs.find([str(tmp_path)])
    names = past_runs.differences(runs)
    assert {n: [run.settings.get(n) for run in runs] for n in names} == {
        "random_seed": ["7", "8"],
        "use_xla": [None, "true"],
        "version of keras": ["3.15.1", "3.16.0"],
        "gpus": ["", "H200"],
    }


def test_data_of_the_same_name_differs_by_its_hash(tmp_path):
    for name in "ab":
        data = [{"file": "train.csv", "sha256": name * 64}]
        write(tmp_path / name, entry(name, data=data))
    runs = past_runs.find([str(tmp_path)])
    assert past_runs.differences(runs) == ["hash of train.csv"]


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"peak_rss_mib": 731}, "finished, 61 s, 731 MiB"),
        ({"status": "failed", "error": "no"}, "failed, no, 61 s"),
        ({"status": "stopped", "signal": "SIGTERM"}, "stopped, SIGTERM, 61 s"),
        ({"status": "started", "seconds": None}, "goes on, or was killed"),
        ({"status": 3, "seconds": "x", "peak_rss_mib": []}, "3"),
    ],
)
def test_how_a_run_ended_is_said(tmp_path, more, state):
    write(tmp_path, entry("1", **more))
    (run,) = past_runs.find([str(tmp_path)])
    assert run.state == state


def test_figures_keep_the_tasks_order(tmp_path):
    write(
        tmp_path,
        entry("1", figures={"f1": 0.123456789, "loss": "nan"}),
        entry("2", figures={"f1": 1, "acc": 0.5}),
        entry("3", figures=[1], flags=[], data={}, versions=3),
    )
    runs = past_runs.find([str(tmp_path)])
    assert past_runs.figure_names(runs) == ["f1", "loss", "acc"]
    shown = [past_runs.number(run.figures.get("f1")) for run in runs]
    assert shown == ["0.12346", "1", ""]
