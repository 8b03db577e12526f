"""Kills a run again and again; compares its end with an uninterrupted one.

Trains a small model twice, the second time with SIGKILLs at random moments,
while a checkpoint is written too, and exits with 1 unless both ended with the
same bits.

    python -m benchmarks.kills --work_dir=/tmp/kills --kills=20
    python -m benchmarks.kills --work_dir=/tmp/kills2 --kills=5 --workers=2
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.scale import worker_environments

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Trains, trains with kills, compares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--num_train_steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    args.work_dir.mkdir(parents=True)
    flags = make_flags(args)

    whole, killed = args.work_dir / "whole", args.work_dir / "killed"
    check(start(flags, whole, args.workers))
    rng = random.Random(args.seed)
    half_written = 0
    for left in range(args.kills, 0, -1):
        kill_once(flags, killed, left, args, rng)
        half_written += any(killed.glob("tmp-bert-*"))
    check(start(flags, killed, args.workers))
    same = tensors(whole) == tensors(killed)
    print(
        f"{args.kills} kills, {half_written} while a checkpoint was written; "
        f"weights, moments and step equal bit for bit: {same}"
    )
    sys.exit(not same)


def make_flags(args: argparse.Namespace) -> list[str]:
    """Makes records and configuration; returns the training's flags."""
    records = args.work_dir / "records.tfrecord"
    command = [
        sys.executable,
        "create_pretraining_data.py",
        "--input_file=sample_data/corpus.txt",
        "--vocab_file=sample_data/vocab.txt",
        f"--output_file={records}",
        "--max_seq_length=32",
        "--max_predictions_per_seq=5",
    ]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    config = json.loads((ROOT / "sample_data/bert_config.json").read_text())
    config |= {"hidden_size": 32, "intermediate_size": 64}
    (args.work_dir / "config.json").write_text(json.dumps(config))
    return [
        "--do_train",
        f"--input_file={records}",
        f"--bert_config_file={args.work_dir / 'config.json'}",
        "--max_seq_length=32",
        "--max_predictions_per_seq=5",
        "--train_batch_size=8",
        f"--num_train_steps={args.num_train_steps}",
        "--num_warmup_steps=10",
        "--learning_rate=1e-3",
        "--save_checkpoints_steps=2",
        "--random_seed=1",
    ]


def start(
    flags: list[str], output_dir: Path, workers: int
) -> list[subprocess.Popen]:
    """Starts the training in a folder; returns its workers."""
    return [
        subprocess.Popen(
            [
                sys.executable,
                "run_pretraining.py",
                *flags,
                f"--output_dir={output_dir}",
            ],
            cwd=ROOT,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        for environment in worker_environments(workers)
    ]


def check(processes: list[subprocess.Popen]) -> None:
    """Waits for processes, which must end well."""
    for process in processes:
        _, log = process.communicate()
        if process.returncode:
            sys.exit(log[-2000:])


def kill_once(
    flags: list[str],
    output_dir: Path,
    kills_left: int,
    args: argparse.Namespace,
    rng: random.Random,
) -> None:
    """Starts the training, and kills it before it has taken too many steps."""
    first = newest_step(output_dir)
    room = (args.num_train_steps - first) / (kills_left + 1)
    target = first + rng.uniform(0.0, room)
    processes = start(flags, output_dir, args.workers)
    while newest_step(output_dir) <= target:
        if any(process.poll() is not None for process in processes):
            check(processes)
            sys.exit("The training ended before it could be killed.")
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.1))
    for process in processes:
        process.kill()
    for process in processes:
        process.communicate()
    print(f"killed after step {newest_step(output_dir)}", flush=True)


def newest_step(output_dir: Path) -> int:
    """Returns the step of the newest checkpoint, or -1."""
    steps = [
        int(path.stem.rpartition("-")[2])
        for path in output_dir.glob("model.ckpt-*.index")
    ]
    return max(steps, default=-1)


def tensors(output_dir: Path) -> dict[str, bytes]:
    """Returns the bytes of every tensor of a run's last checkpoint."""
    reader = tf.train.load_checkpoint(str(output_dir))
    return {
        name: np.asarray(reader.get_tensor(name)).tobytes()
        for name in reader.get_variable_to_shape_map()
    }


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
