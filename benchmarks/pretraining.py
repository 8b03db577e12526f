"""Pre-trains a small BERT on a text, twice, the second time with a kill.

Prints what a row of docs/results.md says: the mean masked-LM loss of the last
100 steps beside the unigram entropy of the masked ids (what a model without
context reaches), the wall times, and whether the run that was killed half-way
and started again ended with the same bits.

    python -m benchmarks.pretraining --input_file=corpus.txt \
        --vocab_file=vocab.txt --work_dir=/tmp/pretraining
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import tensorflow as tf

from benchmarks.kills import tensors

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Creates records, trains twice, compares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_file", required=True)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--num_train_steps", type=int, default=1500)
    parser.add_argument("--random_seed", type=int, default=2)
    args = parser.parse_args()
    args.work_dir.mkdir(parents=True, exist_ok=True)

    records = create_records(args)
    print(f"unigram entropy of the masked ids: {entropy(records):.3f} nats")
    config = write_config(args)

    whole = args.work_dir / "uninterrupted"
    begun = time.monotonic()
    run(training_command(args, records, config, whole), whole)
    print(f"training took {time.monotonic() - begun:.0f} s")
    loss = last_value(whole, "masked_lm_loss")
    print(f"mean masked-LM loss of the last 100 steps: {loss:.3f}")

    killed = args.work_dir / "killed"
    command = training_command(args, records, config, killed)
    kill_half_way(command, killed, args.num_train_steps // 2)
    log = run(command, killed)
    print(next(line for line in log.splitlines() if "Resumed from" in line))
    same = tensors(whole) == tensors(killed)
    print(f"weights, moments and step equal bit for bit: {same}")
    sys.exit(not same)


def create_records(args: argparse.Namespace) -> Path:
    """Runs create_pretraining_data.py and returns the record file."""
    records = args.work_dir / "records.tfrecord"
    begun = time.monotonic()
    run(
        [
            "create_pretraining_data.py",
            f"--input_file={args.input_file}",
            f"--output_file={records}",
            f"--vocab_file={args.vocab_file}",
            "--max_seq_length=128",
            "--max_predictions_per_seq=20",
            "--dupe_factor=2",
        ],
        args.work_dir,
    )
    print(f"creating the records took {time.monotonic() - begun:.0f} s")
    return records


def entropy(records: Path) -> float:
    """Returns the entropy, in nats, of the ids that are to be predicted."""
    counts: Counter[int] = Counter()
    for record in tf.data.TFRecordDataset(str(records)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        ids = feature["masked_lm_ids"].int64_list.value
        weights = feature["masked_lm_weights"].float_list.value
        counts.update(i for i, w in zip(ids, weights, strict=True) if w)
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
    args: argparse.Namespace, records: Path, config: Path, output_dir: Path
) -> list[str]:
    """Returns the run_pretraining.py command of the table of results."""
    if output_dir.exists():
        sys.exit(f"{output_dir} exists; give another --work_dir")
    output_dir.mkdir()
    return [
        "run_pretraining.py",
        "--do_train",
        f"--input_file={records}",
        f"--bert_config_file={config}",
        f"--output_dir={output_dir}",
        "--train_batch_size=32",
        "--learning_rate=1e-3",
        f"--num_train_steps={args.num_train_steps}",
        "--num_warmup_steps=100",
        "--save_checkpoints_steps=100",
        f"--random_seed={args.random_seed}",
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
