r"""Measures the memory that training takes, with and without saving it.

Fine-tunes a classifier with run_classifier.py for some steps in each way, each
in a process of its own, and prints the largest resident memory. The weights
are random, the rows full.

    python -m benchmarks.memory --work_dir=/tmp/memory
    python -m benchmarks.memory --work_dir=/tmp/memory --model=large \\
        --shapes=32x384 --ways=accumulation=16+recompute --steps=1
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import models

ROOT = Path(__file__).parents[1]
FLAGS = {
    "accumulation": "--gradient_accumulation_steps",
    "recompute": "--recompute_activations",
    "precision": "--precision",
}
WAYS = "plain,recompute,accumulation=4,accumulation=4+recompute"


def main() -> None:
    """Runs every way at every shape; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--model", choices=models.NAMES, default="base")
    parser.add_argument("--shapes", default="32x128,8x512")
    parser.add_argument("--ways", default=WAYS)
    parser.add_argument("--steps", type=int, default=2)
    args = parser.parse_args()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    config = json.dumps(models.sizes(args.model))
    (args.work_dir / "config.json").write_text(config)
    shapes = args.shapes.split(",")
    print(f"| {args.model}, GiB | {' | '.join(shapes)} |")
    print("|---|" + "---|" * len(shapes))
    for way in args.ways.split(","):
        cells = [
            f"{peak(args, way, *map(int, shape.split('x'))):.2f}"
            for shape in shapes
        ]
        print(f"| {way} | {' | '.join(cells)} |", flush=True)
    print(f"| TensorFlow's import alone | {spent(['-c', IMPORT]):.2f} |")


IMPORT = "import tensorflow, keras"


def peak(args: argparse.Namespace, way: str, rows: int, length: int) -> float:
    """Returns the GiB that some steps take."""
    train_file = args.work_dir / "train.jsonl"
    row = {"text": "the " * length, "label": "yes"}
    train_file.write_text(
        (json.dumps(row) + "\n" + json.dumps({**row, "label": "no"}) + "\n")
        * (rows * args.steps // 2)
    )
    output_dir = args.work_dir / "out"
    subprocess.run(["rm", "-rf", str(output_dir)], check=True)
    return spent(
        [
            "run_classifier.py",
            "--task_name=jsonl",
            "--text_column=text",
            f"--train_file={train_file}",
            "--do_train",
            "--num_train_epochs=1",
            "--vocab_file=sample_data/vocab.txt",
            f"--bert_config_file={args.work_dir / 'config.json'}",
            f"--output_dir={output_dir}",
            f"--train_batch_size={rows}",
            f"--max_seq_length={length}",
            "--random_seed=1",
            *way_flags(way),
        ]
    )


def way_flags(way: str) -> list[str]:
    """Returns the flags of a way such as accumulation=4+recompute."""
    if way == "plain":
        return []
    parts = [part.partition("=") for part in way.split("+")]
    return [FLAGS[name] + sign + value for name, sign, value in parts]


def spent(arguments: list[str]) -> float:
    """Runs Python; returns the largest resident memory of it in GiB."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        stderr=subprocess.PIPE,
    )
    log = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(log[-3000:].decode())
    return usage.ru_maxrss / 2**20


if __name__ == "__main__":
    main()
