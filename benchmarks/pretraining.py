"""Pre-trains a small BERT on a text, with one seed or several.

Prints what a row of docs/results.md says: the mean masked-LM loss of the last
100 steps beside the unigram entropy of the masked ids (what a model without
context reaches), and the wall times. With one seed it trains a second time, is
killed half-way and started again, and says whether both ended with the same
bits.

    python -m benchmarks.pretraining --input_file=corpus.txt \
        --vocab_file=vocab.txt --work_dir=/tmp/pretraining
    python -m benchmarks.pretraining --input_file=corpus.txt \
        --vocab_file=vocab.txt --work_dir=/tmp/pretraining \
        --recipe=corrected --seeds=1,2,3,4,5

Flags that are not its own go to run_pretraining.py, and win over the recipe's:
what else was tried is repeated so, in a --work_dir of its own.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow as tf

from benchmarks.fine_tuning import run_once
from benchmarks.kills import tensors

ROOT = Path(__file__).parents[1]
# What the rows of docs/results.md compare. Without Adam's bias correction, as
# in the original, the first hundreds of steps are up to 6.6 times as large.
RECIPES = {
    "original": ["--learning_rate=1e-3", "--num_warmup_steps=100"],
    "corrected": [
        "--learning_rate=3e-3",
        "--num_warmup_steps=300",
        "--learning_rate_schedule=linear",
        "--adam_bias_correction",
    ],
    "lamb": [
        "--learning_rate=1e-2",
        "--num_warmup_steps=200",
        "--learning_rate_schedule=linear",
        "--optimizer=lamb",
    ],
}


def main() -> None:
    """Creates records, trains with each seed; with one seed again, killed."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--input_file", required=True)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--num_train_steps", type=int, default=1500)
    parser.add_argument("--recipe", choices=RECIPES, default="original")
    parser.add_argument("--seeds", default="2")
    args, args.flags = parser.parse_known_args()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    seeds = [int(seed) for seed in args.seeds.split(",")]

    records = create_records(args)
    counts = Counter(i for ids in masked_ids([str(records)]) for i in ids)
    print(f"unigram entropy of the masked ids: {entropy(counts):.3f} nats")
    config = write_config(args)
    losses = []
    for seed in seeds:
        whole = args.work_dir / f"{args.recipe}-seed{seed}"
        command = training_command(args, records, config, whole, seed)
        seconds = run_once(command, whole)
        losses.append(last_value(whole, "masked_lm_loss"))
        print(
            f"seed {seed}: mean masked-LM loss of the last 100 steps "
            f"{losses[-1]:.3f}; training took {seconds:.0f} s",
            flush=True,
        )
    print(f"mean {statistics.fmean(losses):.3f}, largest {max(losses):.3f}")
    if len(seeds) > 1:
        return

    killed = args.work_dir / "killed"
    command = training_command(args, records, config, killed, seeds[0])
    kill_half_way(command, killed, args.num_train_steps // 2)
    log = run(command, killed)
    print(next(line for line in log.splitlines() if "Resumed from" in line))
    same = tensors(whole) == tensors(killed)
    print(f"weights, moments and step equal bit for bit: {same}")
    sys.exit(not same)


def create_records(args: argparse.Namespace) -> Path:
    """Runs create_pretraining_data.py, once, and returns the record file."""
    records = args.work_dir / "records.tfrecord"
    command = [
        "create_pretraining_data.py",
        f"--input_file={args.input_file}",
        f"--output_file={records}",
        f"--vocab_file={args.vocab_file}",
        "--max_seq_length=128",
        "--max_predictions_per_seq=20",
        "--dupe_factor=2",
    ]
    seconds = run_once(command, args.work_dir / "records")
    print(f"creating the records took {seconds:.0f} s", flush=True)
    return records


def masked_ids(files: Iterable[str]) -> Iterator[list[int]]:
    """Yields the ids that are to be predicted, of each record."""
    for record in tf.data.TFRecordDataset(list(files)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        ids = feature["masked_lm_ids"].int64_list.value
        weights = feature["masked_lm_weights"].float_list.value
        yield [i for i, w in zip(ids, weights, strict=True) if w]


def entropy(counts: Counter[int]) -> float:
    """Returns the entropy, in nats, of ids that occur so often."""
    total = counts.total()
    return -sum(n / total * math.log(n / total) for n in counts.values())


def write_config(args: argparse.Namespace) -> Path:
    """Writes the configuration of a BERT of 2 layers and 128 units."""
    with open(args.vocab_file, encoding="utf-8") as file:
        vocab_size = sum(1 for _ in file)
    path = args.work_dir / "bert_config.json"
    config = {
        "vocab_size": vocab_size,
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 512,
        "type_vocab_size": 2,
    }
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def training_command(
    args: argparse.Namespace,
    records: Path,
    config: Path,
    output_dir: Path,
    seed: int,
) -> list[str]:
    """Returns the run_pretraining.py command of the table of results."""
    return [
        "run_pretraining.py",
        "--do_train",
        f"--input_file={records}",
        f"--bert_config_file={config}",
        f"--output_dir={output_dir}",
        "--train_batch_size=32",
        f"--num_train_steps={args.num_train_steps}",
        "--save_checkpoints_steps=100",
        f"--random_seed={seed}",
        *RECIPES[args.recipe],
        *args.flags,
    ]


def run(command: list[str], folder: Path) -> str:
    """Runs a script to its end and returns its log."""
    print("$ python " + " ".join(command), flush=True)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    with open(folder / "log.txt", "a") as file:
        file.write(done.stderr)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return done.stderr


def kill_half_way(command: list[str], output_dir: Path, step: int) -> None:
    """Starts a run and kills it (SIGKILL) some time after a step."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while newest_step(output_dir) < step:
        if process.poll() is not None:
            sys.exit("the run ended before it could be killed")
        time.sleep(0.2)
    time.sleep(5)
    process.kill()
    process.wait()
    print(f"killed after the checkpoint of step {newest_step(output_dir)}")


def newest_step(output_dir: Path) -> int:
    """Returns the step of a run's newest checkpoint, or -1."""
    newest = tf.train.latest_checkpoint(str(output_dir))
    return int(newest.rsplit("-", 1)[1]) if newest else -1


def last_value(output_dir: Path, tag: str) -> float:
    """Returns the last point of a run's event files under a tag."""
    return [math.nan, *values(output_dir, tag)][-1]


def values(output_dir: Path, tag: str) -> list[float]:
    """Returns the points of a run's event files under a tag."""
    return [
        float(tf.make_ndarray(point.tensor))
        for path in sorted(output_dir.glob("events.out.tfevents.*"))
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        for point in tf.compat.v1.Event.FromString(record).summary.value
        if point.tag == tag
    ]


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
