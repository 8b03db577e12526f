"""benchmarks/multitask.py: what it runs, without running it."""

import argparse
import json

import pytest

from benchmarks import fine_tuning, multitask

FIGURES = {"eval_accuracy": 0.5, "pearson": 0.8}


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """The commands that were run, by the names of their folders."""
    commands = {}

    def run_once(command, folder):
        if folder.name not in commands:
            commands[folder.name] = command
        return 2.0

    monkeypatch.setattr(fine_tuning, "run_once", run_once)
    monkeypatch.setattr(fine_tuning, "read_results", lambda folder: FIGURES)
    return commands


@pytest.fixture
def args(tmp_path):
    return argparse.Namespace(
        init_dir=tmp_path / "init",
        data_dir=tmp_path / "data",
        work_dir=tmp_path,
        seeds=["1", "2"],
        num_train_epochs=3.0,
    )


def test_a_row_has_each_tasks_figure_and_their_mean(ran, args):
    assert multitask.row("together", args) == [
        *["0.500 ± 0.000 (0.500, 0.500)"] * 2,
        "0.800 ± 0.000 (0.800, 0.800)",
        "0.600 ± 0.000 (0.600, 0.600)",
        "2, 2",
    ]
    assert {*ran} == {"together-all-seed1", "together-all-seed2"}
    command = ran["together-all-seed1"]
    assert command[0] == "run_multitask.py"
    assert "--teacher_annealing" not in command
    assert f"--data_dir={args.data_dir}/glue" in command


def test_teachers_were_trained_alone_with_the_same_seed(ran, args):
    assert multitask.row("together, taught", args)[-1] == "2, 2"
    alone = {f"alone-{t}-seed{s}" for t in multitask.TASKS for s in "12"}
    assert {*ran} == alone | {f"together-taught-all-seed{s}" for s in "12"}
    for seed in "12":
        command = ran[f"together-taught-all-seed{seed}"]
        assert "--teacher_annealing" in command
        file = args.work_dir / f"together-taught-all-seed{seed}-tasks.json"
        assert json.loads(file.read_text()) == [
            {
                "name": task,
                "teacher_dir": f"{args.work_dir}/alone-{task}-seed{seed}",
            }
            for task in multitask.TASKS
        ]
    ran.clear()
    assert multitask.row("alone, taught", args)[-1] == "6, 6"
    taught = ran["alone-taught-stsb-seed2"]
    assert f"--teacher_dir={args.work_dir}/alone-stsb-seed2" in taught
    assert f"--data_dir={args.data_dir}/glue/STS-B" in taught
