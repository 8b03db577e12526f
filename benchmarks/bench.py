r"""Times us and other implementations on the same work, in one run.

Each contestant is a process of its own, in an environment of its own
(benchmarks/make_peers.py makes them; what is not there is left out, and
listed). All stay warm; in every round each does its part of the work once, in
another order each time, so that a noisy machine slows all alike. Prints a page
of bars. Writes bench.md and bench.json: medians, ratios of one round's times,
and shares of the machine's own peak in matrix products, timed between the
others; and adds a line to history.jsonl, by commit, with which the page of a
later run compares ours.

TF_ENABLE_ONEDNN_OPTS is taken out of the environment: each contestant sets it,
or leaves it, as the table says. CPU only. A pipe holds those that wait, asleep
(`sleeping_cores` in bench.json shows it).

    make bench
    python -m benchmarks.bench --work=train_step --models=6x384 \
        --lengths=128 --rounds=5 --peers=ours,products,hf_torch
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers import (
    commands,
    contestants,
    history,
    machine,
    page,
    report,
    sizes,
    turns,
)

ROOT = Path(__file__).parents[1]
STEPS = ("forward", "train_step")
# Work on texts, and what flags it needs.
NEEDS: dict[str, tuple[str, ...]] = {
    "latency": (),
    "startup": (),
    "serving": (),
    "tokenization": ("vocab_file", "text_file"),
    "tokenization_cold": ("vocab_file", "text_file"),
    "packing": ("vocab_file", "text_file"),
    "features": ("vocab_file", "text_file"),
    "data_creation": ("vocab_file", "text_file"),
    "predict_mrpc": ("vocab_file", "data_dir"),
    "predict_squad": ("vocab_file", "data_dir"),
    "fine_tune_mrpc": ("vocab_file", "data_dir"),
}
WORKS = (*STEPS, "memory", *NEEDS)
# Rows of a batch: a step takes seconds on two cores, and several contestants'
# models fit into memory together.
ROWS = {128: 32, 384: 8}
FEWER_ROWS = {("12x768", 128): 8, ("12x768", 384): 2}
LENGTHS = {
    "predict_mrpc": 128,
    "predict_squad": 384,
    "fine_tune_mrpc": 128,
    "latency": 32,
    "startup": 32,
    "serving": 32,
    "packing": 512,
    "features": 128,
    "data_creation": 128,
}


def main() -> None:
    """Measures what the flags say; writes the tables."""
    args = parse(sys.argv[1:])
    found = report.Report(args.output_dir, machine.describe())
    chosen = contestants.choose(args.peers.split(","), args)
    for name, reason in chosen.missing.items():
        found.leave_out(name, reason)
    with tempfile.TemporaryDirectory(dir=args.output_dir) as folder:
        args.folder = Path(folder)
        for work in args.work.split(","):
            measure_work(work, chosen.present, args, found)
    found.write()
    own = history.line(history.commit(ROOT), found.machine, found.tables)
    file = args.output_dir / "history.jsonl"
    print(page.page(found, history.before(file, own)))
    print(f"Tables, and why some were left out: {args.output_dir}/bench.md")
    history.append(file, own)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Returns the flags' values, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--work", default=",".join(WORKS), help="what to time")
    everybody = [n for n in contestants.CONTESTANTS if n != "ours-onednn"]
    add("--peers", default=",".join(everybody), help="who")
    add(
        "--models",
        default="2x128,6x384,12x768",
        help="LAYERSxUNITS, of forward, train_step and memory",
    )
    add("--lengths", default="128,384", help="of forward and train_step")
    add("--rows", type=int, help="of a batch; else by model and length")
    add("--head", choices=("classifier", "pretraining"), default="classifier")
    add("--text_model", default="2x128", help="the model of work on texts")
    add("--epochs", type=float, default=3.0, help="of fine_tune_mrpc")
    add("--limit", type=int, default=0, help="questions of SQuAD; 0: all")
    add("--lines", type=int, default=500, help="of features")
    add(
        "--vocab_file",
        help="of a model of 30,522 pieces; work that needs no real text does "
        "without, with made-up words",
    )
    add("--data_dir", help="folder with glue/MRPC and squad/dev-v1.1.json")
    add("--text_file", help="text, one sentence a line")
    add("--rounds", type=int, default=3)
    add("--command_rounds", type=int, default=1, help="of whole commands")
    add(
        "--seconds",
        type=float,
        default=1.0,
        help="what a contestant's part of a round lasts, or one step",
    )
    add(
        "--peers_dir",
        type=Path,
        default=ROOT / ".peers",
        help="environments that make_peers.py made",
    )
    add(
        "--python",
        action="append",
        default=[],
        metavar="ENVIRONMENT=PYTHON",
        help="another Python for an environment, such as torch=/x/bin/python",
    )
    add("--output_dir", type=Path, default=ROOT / "bench_output")
    args = parser.parse_args(arguments)
    for flag, known in (
        ("work", WORKS),
        ("peers", tuple(contestants.CONTESTANTS)),
    ):
        for name in getattr(args, flag).split(","):
            if name not in known:
                parser.error(
                    f"--{flag}: expected {', '.join(known)}. Received: {name}"
                )
    try:
        check(args)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    args.output_dir = args.output_dir.absolute()
    args.peers_dir = args.peers_dir.absolute()
    return args


def check(args: argparse.Namespace) -> None:
    """Raises ValueError or OSError for what is wrong; sets what follows."""
    for name in (*args.models.split(","), args.text_model):
        sizes.model(name)
    args.all_lengths = [int(length) for length in args.lengths.split(",")]
    counts = [args.rounds, args.command_rounds, *args.all_lengths]
    if min(counts) < 1 or (args.rows is not None and args.rows < 1):
        raise ValueError(
            "--rounds, --command_rounds, --lengths and --rows must be at least "
            "1"
        )
    environments = {c.environment for c in contestants.CONTESTANTS.values()}
    args.pythons = {}
    for pair in args.python:
        name, _, python = pair.partition("=")
        if name not in environments or not os.path.isfile(python):
            names = ", ".join(sorted(environments - {None}))
            raise ValueError(
                f"--python: expected ENVIRONMENT=PYTHON, of {names}, and a "
                f"file. Received: {pair}"
            )
        args.pythons[name] = python
    for flag, kind, is_right in (
        ("vocab_file", "file", os.path.isfile),
        ("data_dir", "folder", os.path.isdir),
        ("text_file", "file", os.path.isfile),
    ):
        path = getattr(args, flag)
        if path and not os.path.exists(path):
            raise ValueError(f"--{flag}: there is no {path}")
        if path and not is_right(path):
            raise ValueError(f"--{flag}: {path} is no {kind}")
        setattr(args, flag, path and os.path.abspath(path))
    args.output_dir.mkdir(parents=True, exist_ok=True)
    args.models_dir = args.output_dir.absolute() / "models"
    args.words = args.vocab_file
    if not args.words:
        args.models_dir /= "made-up-words"
        args.models_dir.mkdir(parents=True, exist_ok=True)
        args.words = str(args.models_dir / "vocab.txt")
        Path(args.words).write_text(sizes.vocabulary())


def measure_work(work, present, args, found) -> None:
    """Measures a kind of work, if the flags say what with."""
    missing = [f for f in NEEDS.get(work, ()) if not getattr(args, f)]
    if missing:
        flags = ", ".join(f"--{flag}" for flag in missing)
        found.leave_out(work, f"not measured, for it needs {flags}")
        return
    if work in commands.WORKS:
        turns.measure_commands(cell_of_text(work, args), args, found)
    elif work == "memory":
        for model in args.models.split(","):
            cell = step_cell("train_step", model, 128, args)
            turns.measure_memory({**cell, "work": work}, present, args, found)
            found.write()
    else:
        running = turns.Running(present, args)
        try:
            for cell in cells(work, args):
                turns.measure(cell, running, args, found)
                found.write()
        finally:
            running.quit()
    found.write()


def cells(work: str, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the pieces of a kind of work."""
    if work not in STEPS:
        yield cell_of_text(work, args)
        return
    for model in args.models.split(","):
        for length in args.all_lengths:
            yield step_cell(work, model, length, args)


def step_cell(work, model, length, args) -> dict[str, Any]:
    """Returns a piece of work on rows without padding."""
    rows = args.rows or FEWER_ROWS.get((model, length)) or ROWS.get(length)
    return {
        "work": work,
        "model": model,
        "length": length,
        "rows": rows or max(1, 4096 // length),
        "head": args.head,
        "item": "examples",
        "model_dir": str(args.models_dir / model),
        "vocab_file": args.words,
    }


def cell_of_text(work, args) -> dict[str, Any]:
    """Returns a piece of work on texts."""
    item = {"tokenization": "words", "tokenization_cold": "words"}
    return {
        "work": work,
        "model": args.text_model,
        "length": LENGTHS.get(work, 0),
        "rows": 1 if work == "latency" else 32,
        "head": "classifier",
        "item": item.get(work, "examples"),
        "clock": "cpu_seconds" if work in item else "seconds",
        "epochs": args.epochs,
        "limit": args.limit,
        "lines": args.lines,
        "vocab_file": args.words,
        "data_dir": args.data_dir,
        "text_file": args.text_file,
        "model_dir": str(args.models_dir / args.text_model),
        "folder": str(args.folder),
    }


if __name__ == "__main__":
    main()
