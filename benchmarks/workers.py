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
ROWS, LENGTH, PREDICTIONS = 32, 128, 20
CONFIG = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}


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
    from training import environment

    environment.prepare()
    import tensorflow as tf

    from modeling import BertConfig, checkpoint, heads
    from training import optimization
    from training import steps as train_steps

    strategy = tf.distribute.get_strategy()
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = heads.PretrainingModel(
            BertConfig.from_dict(CONFIG), init_seed=1
        )
        optimizer = optimization.AdamWeightDecay(
            {
                checkpoint.checkpoint_name(v, model): v.value
                for v in model.trainable_variables
            },
            optimization.learning_rate_schedule("original", 1e-4, 100, 10),
        )
        step = train_steps.compile_train_step(
            model, optimizer, train_steps.StepSettings(seed=1)
        )
        batch = next(
            iter(
                strategy.distribute_datasets_from_function(
                    lambda _: tf.data.Dataset.from_tensors(make_batch())
                )
            )
        )
        taken = []
        for _ in range(steps + 2):
            begun = time.perf_counter()
            float(step(batch)["loss"])
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken[2:])


def make_batch():
    """Returns a worker's rows: full, with ids spread over the vocabulary."""
    import numpy as np

    rng = np.random.default_rng(1)

    def ids(limit, *shape):
        return rng.integers(0, limit, shape, dtype=np.int32)

    return {
        "input_ids": ids(CONFIG["vocab_size"], ROWS, LENGTH),
        "input_mask": np.ones((ROWS, LENGTH), np.int32),
        "segment_ids": ids(2, ROWS, LENGTH),
        "masked_lm_positions": ids(LENGTH, ROWS, PREDICTIONS),
        "masked_lm_ids": ids(CONFIG["vocab_size"], ROWS, PREDICTIONS),
        "masked_lm_weights": np.ones((ROWS, PREDICTIONS), np.float32),
        "next_sentence_labels": ids(2, ROWS, 1),
    }


if __name__ == "__main__":
    main()
