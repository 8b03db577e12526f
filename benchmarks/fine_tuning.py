"""Repeats the table of fine-tuning results of docs/results.md.

Fine-tunes one pre-trained model (a folder that convert_checkpoint.py made, or
a downloaded one) on real data sets, each with some seeds, and prints a row of
a Markdown table for each. Runs that are done are not run again, and one that
was stopped goes on: the same command fills the table up.

    python -m benchmarks.fine_tuning --init_dir=/tmp/minilm --data_dir=data \
        --work_dir=/tmp/fine_tuning --tasks=mrpc,rte --seeds=1,2,3

--tasks=finer is layer-wise decay on RTE and CoLA, and what is read of long
texts on IMDb (rte-decay-0.9, imdb-windows, …), in place of the others.

--data_dir has the folders glue/ (MRPC, RTE, CoLA, STS-B, SST-2), squad/,
conll2003/ and imdb/. TF_ENABLE_ONEDNN_OPTS is 1 where it is not set: faster
on a CPU, with other roundings.
"""

import argparse
import contextlib
import itertools
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Task(NamedTuple):
    """A row of the table.

    Attributes:
        title: what it is.
        script: the script that does it.
        flags: its own; {data} and {work} stand for data_dir and work_dir.
        figures: what to show of eval_results.txt.
        cut: the name in CUTS of its training set; None: it is whole.
    """

    title: str
    script: str
    flags: str
    figures: tuple[str, ...]
    cut: str | None = None


_GLUE = "--max_seq_length=128 --eval_batch_size=32 --data_dir={data}/glue/"
# A larger learning rate and smaller batches than the others have: the articles
# are few.
_SQUAD = (
    "--learning_rate=1e-4 --train_batch_size=12 --predict_batch_size=32 "
    "--max_seq_length=160 --doc_stride=80 "
    "--train_file={data}/squad/train-%s.json "
    "--predict_file={data}/squad/dev-%s.json "
)
_IMDB = (
    "--task_name=tsv --text_column=sentence --label_column=label "
    "--train_file={work}/imdb/train.tsv --dev_file={data}/imdb/test.tsv "
    "--num_train_epochs=1 --eval_batch_size=32"
)
TASKS = {
    "mrpc": Task(
        "MRPC, 3 epochs",
        "run_classifier.py",
        f"--task_name=MRPC --num_train_epochs=3 {_GLUE}MRPC",
        ("eval_accuracy", "f1"),
    ),
    "rte": Task(
        "RTE, 1 epoch",
        "run_classifier.py",
        f"--task_name=RTE --num_train_epochs=1 {_GLUE}RTE",
        ("eval_accuracy",),
    ),
    "cola": Task(
        "CoLA, 3 epochs",
        "run_classifier.py",
        f"--task_name=CoLA --num_train_epochs=3 {_GLUE}CoLA",
        ("matthews_correlation",),
    ),
    "sts-b": Task(
        "STS-B, 3 epochs",
        "run_classifier.py",
        f"--task_name=STS-B --num_train_epochs=3 {_GLUE}STS-B",
        ("pearson", "spearman"),
    ),
    "sst-2": Task(
        "SST-2, first 10,000 rows, 1 epoch",
        "run_classifier.py",
        "--task_name=SST-2 --num_train_epochs=1 --max_seq_length=128 "
        "--eval_batch_size=32 --data_dir={work}/SST-2",
        ("eval_accuracy",),
        "sst-2",
    ),
    "imdb": Task(
        "IMDb, first 2,000 reviews, 256 tokens, 1 epoch",
        "run_classifier.py",
        f"{_IMDB} --max_seq_length=256",
        ("eval_accuracy",),
        "imdb",
    ),
    "conll2003": Task(
        "CoNLL-2003 NER, 2 epochs, test set",
        "run_ner.py",
        "--train_file={data}/conll2003/train.txt "
        "--dev_file={data}/conll2003/test.txt --num_train_epochs=2 "
        "--max_seq_length=128 --eval_batch_size=32",
        ("f1", "precision", "recall"),
    ),
    "squad-v1.1": Task(
        "SQuAD v1.1, 2 epochs",
        "run_squad.py",
        _SQUAD.replace("%s", "v1.1") + "--num_train_epochs=2",
        ("exact_match", "f1"),
    ),
    "squad-v2.0": Task(
        "SQuAD v2.0, 0.4 epochs",
        "run_squad.py",
        _SQUAD.replace("%s", "v2.0")
        + "--num_train_epochs=0.4 --version_2_with_negative "
        "--null_score_diff_threshold=auto",
        ("exact_match", "f1"),
    ),
}
# Finer ways to fine-tune, each beside the plain one; only on demand.
FINER = {
    **{
        f"{data.lower()}-decay-{decay}": Task(
            f"{data}, 3 epochs, layer-wise decay {decay}",
            "run_classifier.py",
            f"--task_name={data} --num_train_epochs=3 "
            f"--layerwise_lr_decay={decay} {_GLUE}{data}",
            (figure,),
        )
        for data, figure in (
            ("RTE", "eval_accuracy"),
            ("CoLA", "matthews_correlation"),
        )
        for decay in ("1", "0.9", "0.8")
    },
    **{
        f"imdb-{truncation}": Task(
            f"IMDb, first 2,000 reviews, 128 tokens, 1 epoch, {truncation}",
            "run_classifier.py",
            f"{_IMDB} --max_seq_length=128 --truncation={truncation}",
            ("eval_accuracy",),
            "imdb",
        )
        for truncation in ("end", "start", "middle", "windows")
    },
}
# Training sets that are cut: the file under data_dir, and rows to keep.
CUTS = {
    "sst-2": ("glue/SST-2/train.tsv", "SST-2/train.tsv", 10000),
    "imdb": ("imdb/train.tsv", "imdb/train.tsv", 2000),
}


def main() -> None:
    """Runs what is not done yet; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init_dir", required=True, type=Path)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", default="1")
    add_precision(parser)
    args = parser.parse_args()
    known = {**TASKS, **FINER}
    tasks = list(FINER) if args.tasks == "finer" else args.tasks.split(",")
    unknown = sorted(set(tasks) - set(known))
    if unknown:
        sys.exit(f"--tasks: expected {', '.join(known)}; not {unknown[0]}")
    seeds = [int(seed) for seed in args.seeds.split(",")]
    args.work_dir.mkdir(parents=True, exist_ok=True)
    setting = os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    print(f"TF_ENABLE_ONEDNN_OPTS={setting}", file=sys.stderr)
    print("| task | mean (each seed) | seconds | command |\n|---|---|---|---|")
    for name in tasks:
        print(row(name, known[name], seeds, args), flush=True)


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Adds --precision, of all trainings but a teacher's."""
    parser.add_argument(
        "--precision", default="float32", choices=("float32", "bfloat16")
    )


def row(
    name: str, task: Task, seeds: list[int], args: argparse.Namespace
) -> str:
    """Returns a task's row of the table; runs what it lacks."""
    if task.cut is not None:
        cut_training_set(task.cut, args)
    results, seconds = [], []
    for seed in seeds:
        output_dir = args.work_dir / f"{name}-seed{seed}"
        own = command(task, seed, output_dir, args) + rounded(args)
        seconds.append(run_once(own, output_dir))
        results.append(read_results(output_dir))
    cells = []
    for figure in task.figures:
        values = [result[figure] for result in results]
        each = ", ".join(f"{value:.4g}" for value in values)
        mean = f"{statistics.fmean(values):.4g}"
        if len(values) > 1:
            mean += f" ± {statistics.stdev(values):.2g}"
        cells.append(f"{figure} {mean}" + (f" ({each})" * (len(values) > 1)))
    own = command(task, seeds[0], Path("OUT"), args) + rounded(args)
    shown = shlex.join(own)
    times = ", ".join(f"{second:.0f}" for second in seconds)
    return f"| {task.title} | {'; '.join(cells)} | {times} | `python {shown}` |"


def command(
    task: Task, seed: int, output_dir: Path, args: argparse.Namespace
) -> list[str]:
    """Returns the command of a run."""
    flags = task.flags.format(data=args.data_dir, work=args.work_dir).split()
    if "--learning_rate=" not in task.flags:
        flags.append("--learning_rate=5e-5")
    return [
        task.script,
        "--do_train",
        "--do_eval",
        f"--bert_config_file={args.init_dir / 'bert_config.json'}",
        f"--vocab_file={args.init_dir / 'vocab.txt'}",
        f"--init_checkpoint={args.init_dir / 'bert_model.ckpt'}",
        f"--output_dir={output_dir}",
        "--train_batch_size=32",
        *flags,
        f"--random_seed={seed}",
    ]


def rounded(args: argparse.Namespace) -> list[str]:
    """Returns the flag of another precision than a run has by itself."""
    is_own = args.precision == "float32"
    return [] if is_own else [f"--precision={args.precision}"]


def run_once(
    arguments: list[str],
    output_dir: Path,
    python: str = sys.executable,
    answers: Path | None = None,
) -> float:
    """Runs a command to its end, if it is not done, and tells its seconds.

    Beside output_dir a .json says what was done there, and a .log how.

    Args:
        arguments: the command.
        output_dir: where it writes.
        python: what runs it.
        answers: the file that gets its standard output.
    """
    done_file = output_dir.with_name(output_dir.name + ".json")
    if done_file.exists():
        done = json.loads(done_file.read_text())
        if done["command"] != arguments:
            sys.exit(
                f"{output_dir} is of another command; remove it and "
                f"{done_file}, or give another --work_dir"
            )
        return done["seconds"]
    log = output_dir.with_name(output_dir.name + ".log")
    print(f"$ python {shlex.join(arguments)} 2>{log}", file=sys.stderr)
    begun = time.monotonic()
    with contextlib.ExitStack() as files:
        error = files.enter_context(open(log, "a"))
        out = files.enter_context(open(answers, "w")) if answers else None
        code = subprocess.run(
            [python, *arguments],
            cwd=ROOT,
            stdout=out,
            stderr=error,
            check=False,
        ).returncode
    if code:
        sys.exit("".join(log.read_text().splitlines(keepends=True)[-20:]))
    # Of the last start alone, where the run had been stopped before.
    seconds = time.monotonic() - begun
    done_file.write_text(
        json.dumps({"command": arguments, "seconds": seconds}) + "\n"
    )
    return seconds


def read_results(output_dir: Path) -> dict[str, float]:
    """Returns the figures of eval_results.txt."""
    lines = (output_dir / "eval_results.txt").read_text().splitlines()
    pairs = (line.split(" = ") for line in lines)
    return {name: float(value) for name, value in pairs}


def cut_training_set(name: str, args: argparse.Namespace) -> None:
    """Writes the first rows of a training set, and its dev set, to work_dir."""
    source, target, rows = CUTS[name]
    path = args.work_dir / target
    path.parent.mkdir(exist_ok=True)
    with open(args.data_dir / source, "rb") as file:
        path.write_bytes(b"".join(itertools.islice(file, rows + 1)))
    dev = (args.data_dir / source).with_name("dev.tsv")
    if dev.exists():
        path.with_name("dev.tsv").write_bytes(dev.read_bytes())


if __name__ == "__main__":
    main()
