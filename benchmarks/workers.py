"""Times training in two worker processes against one.

Each process is pinned to a core of its own and takes 32 rows a step of BERT
with 6 layers of 384 units at length 128; prints examples per second and their
ratio, medians of several rounds that take turns.

    python -m benchmarks.workers
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.scale import worker_environments

ROOT = Path(__file__).parents[1]
ROWS, LENGTH = 32, 128


def main() -> None:
    """Times one and two workers in turns; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--worker", action="store_true", help="internal")
    args = parser.parse_args()
    if args.worker:
        print(seconds_per_step(args.steps))
        return
    rates = {1: [], 2: []}
    for _ in range(args.rounds):
        for workers, found in rates.items():
            found.append(workers * ROWS / seconds_of(workers, args.steps))
            print(workers, "worker(s):", found[-1], file=sys.stderr)
    one, two = (statistics.median(found) for found in rates.values())
    print("| processes | examples/s | ratio |")
    print("|---|---|---|")
    print(f"| 1 | {one:.2f} | 1 |")
    print(f"| 2 | {two:.2f} | {two / one:.2f} |")


def seconds_of(workers: int, steps: int) -> float:
    """Runs some workers; returns the seconds of a step of the slowest."""
    processes = [
        subprocess.Popen(
            [
                *("taskset", "--cpu-list", str(core)),
                *(sys.executable, "-m", "benchmarks.workers", "--worker"),
                f"--steps={steps}",
            ],
            cwd=ROOT,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for core, environment in enumerate(worker_environments(workers))
    ]
    return max(float(process.communicate()[0]) for process in processes)


def seconds_per_step(steps: int) -> float:
    """Trains under the strategy of the environment; returns the median."""
    from bert.cli import environment

    environment.prepare()
    import tensorflow as tf

    from benchmarks import models
    from bert.training.steps import StepSettings, compile_train_step

    strategy = tf.distribute.get_strategy()
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = models.make_model("small", "pretraining")
        step = compile_train_step(
            model, models.make_optimizer(model), StepSettings(seed=1)
        )
        rows = models.make_batch("pretraining", ROWS, LENGTH)
        batch = next(
            iter(
                strategy.distribute_datasets_from_function(
                    lambda _: tf.data.Dataset.from_tensors(rows)
                )
            )
        )
        taken = []
        for _ in range(steps + 2):
            begun = time.perf_counter()
            float(step(batch)["loss"])
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken[2:])


if __name__ == "__main__":
    main()
