"""Several tasks in one model, or a model for each? A table of docs/results.md.

MRPC, RTE and STS-B are fine-tuned from one pre-trained model (a folder that
convert_checkpoint.py made, or a downloaded one): alone and together, without
teachers and with those that were trained alone with the same seed (BAM). Prints
a row of a Markdown table for each of the four. Runs that are done are not run
again, and one that was stopped goes on: the same command fills the table up.

    python -m benchmarks.multitask --init_dir=/tmp/minilm --data_dir=data \
        --work_dir=/tmp/multitask --seeds=1,2,3

--data_dir has the folder glue/ (MRPC, RTE, STS-B). TF_ENABLE_ONEDNN_OPTS is 1
where it is not set: faster on a CPU, with other roundings.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

from benchmarks import fine_tuning, mrpc

# What a task's folder is called, and what its dev set is judged by.
TASKS = {
    "mrpc": ("MRPC", "eval_accuracy"),
    "rte": ("RTE", "eval_accuracy"),
    "stsb": ("STS-B", "pearson"),
}
# Of each row: whether the tasks are together, and whether they have teachers.
WAYS = {
    "alone": (False, False),
    "alone, taught": (False, True),
    "together": (True, False),
    "together, taught": (True, True),
}
_RECIPE = (
    "--do_train --do_eval --noeval_report --train_batch_size=32 "
    "--eval_batch_size=32 --learning_rate=5e-5 --max_seq_length=128 "
    "--save_checkpoints_steps=100000"
)


def main() -> None:
    """Runs what is not done yet; prints the table."""
    args = _parse()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    setting = os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    print(f"TF_ENABLE_ONEDNN_OPTS={setting}", file=sys.stderr)
    names = [f"{title} {figure}" for title, figure in TASKS.values()]
    columns = ["trained", *names, "mean", "seconds"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for way in args.ways:
        print(f"| {' | '.join([way, *row(way, args)])} |", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init_dir", required=True, type=Path)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--ways", default=";".join(WAYS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--num_train_epochs", default=3.0, type=float)
    args = parser.parse_args()
    args.ways = args.ways.split(";")
    if unknown := sorted(set(args.ways) - set(WAYS)):
        known = "; ".join(WAYS)
        sys.exit(f"--ways: expected some of {known}; not {unknown[0]}")
    args.seeds = args.seeds.split(",")
    return args


def row(way: str, args: argparse.Namespace) -> list[str]:
    """Returns the cells of a way to train; runs what it lacks."""
    found: dict[str, list[float]] = {task: [] for task in TASKS}
    seconds = []
    for seed in args.seeds:
        figures, spent = train(way, seed, args)
        seconds.append(spent)
        for task in TASKS:
            found[task].append(figures[task])
    # Of each seed, the mean of the tasks.
    means = [
        statistics.fmean(each) for each in zip(*found.values(), strict=True)
    ]
    return [
        *(_cell(values) for values in (*found.values(), means)),
        ", ".join(f"{spent:.0f}" for spent in seconds),
    ]


def _cell(values: list[float]) -> str:
    each = ", ".join(f"{value:.3f}" for value in values)
    return f"{mrpc.mean_and_spread(values)} ({each})"


def train(
    way: str, seed: str, args: argparse.Namespace
) -> tuple[dict[str, float], float]:
    """Trains in one way with one seed.

    Returns:
        Each task's figure, and the seconds of all trainings; those of teachers
        are not among them.
    """
    together, is_taught = WAYS[way]
    teachers = {}
    if is_taught:
        train("alone", seed, args)
        teachers = {task: _folder("alone", seed, args, task) for task in TASKS}
    if together:
        folder = _folder(way, seed, args)
        spent = fine_tuning.run_once(
            together_command(folder, seed, teachers, args), folder
        )
        folders = {task: folder / "tasks" / task for task in TASKS}
    else:
        folders = {task: _folder(way, seed, args, task) for task in TASKS}
        spent = sum(
            fine_tuning.run_once(
                alone_command(task, folder, seed, teachers.get(task), args),
                folder,
            )
            for task, folder in folders.items()
        )
    figures = {
        task: fine_tuning.read_results(folder)[TASKS[task][1]]
        for task, folder in folders.items()
    }
    return figures, spent


def _folder(
    way: str, seed: str, args: argparse.Namespace, task: str = "all"
) -> Path:
    return args.work_dir / f"{way.replace(', ', '-')}-{task}-seed{seed}"


def alone_command(
    task: str,
    folder: Path,
    seed: str,
    teacher: Path | None,
    args: argparse.Namespace,
) -> list[str]:
    """Returns the command that trains a task by itself."""
    taught = [f"--teacher_dir={teacher}", "--teacher_annealing"]
    return [
        "run_classifier.py",
        f"--task_name={task}",
        f"--data_dir={args.data_dir / 'glue' / TASKS[task][0]}",
        *_flags(folder, seed, args),
        *(taught if teacher else ()),
    ]


def together_command(
    folder: Path,
    seed: str,
    teachers: dict[str, Path],
    args: argparse.Namespace,
) -> list[str]:
    """Returns the command that trains all tasks; writes its file of tasks."""
    tasks = [
        {"name": task}
        | ({"teacher_dir": str(teachers[task])} if teachers else {})
        for task in TASKS
    ]
    file = folder.with_name(f"{folder.name}-tasks.json")
    file.write_text(json.dumps(tasks, indent=1) + "\n")
    return [
        "run_multitask.py",
        f"--tasks={file}",
        f"--data_dir={args.data_dir / 'glue'}",
        *_flags(folder, seed, args),
        *["--teacher_annealing"] * bool(teachers),
    ]


def _flags(folder: Path, seed: str, args: argparse.Namespace) -> list[str]:
    return [
        *_RECIPE.split(),
        f"--num_train_epochs={args.num_train_epochs:g}",
        f"--bert_config_file={args.init_dir / 'bert_config.json'}",
        f"--vocab_file={args.init_dir / 'vocab.txt'}",
        f"--init_checkpoint={args.init_dir / 'bert_model.ckpt'}",
        f"--output_dir={folder}",
        f"--random_seed={seed}",
    ]


if __name__ == "__main__":
    main()
