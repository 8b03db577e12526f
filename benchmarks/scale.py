"""Takes the same 20 steps in every way there is; compares the weights.

Devices, workers, gradient accumulation, recomputed activations and XLA change
how a step is computed, not what it is. Prints a table: the largest difference
of any weight from the run on one device.

    python -m benchmarks.scale --work_dir=/tmp/scale

Each run is a process of its own: logical devices must be made before
TensorFlow's first operation.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).parents[1]
STEPS = 20


class Way(NamedTuple):
    """How to take the steps.

    Attributes:
        name: in the table.
        flags: of run_pretraining.py.
        devices: logical CPUs.
        workers: processes.
        dropout: the model's.
    """

    name: str
    flags: tuple[str, ...] = ()
    devices: int = 1
    workers: int = 1
    dropout: float = 0.0


RECOMPUTE = "--recompute_activations"
XLA = "--use_xla"
WAYS = (
    Way("one device"),
    Way("2 logical CPUs", devices=2),
    Way("4 logical CPUs", devices=4),
    Way("2 processes", workers=2),
    Way("accumulation 2", ("--gradient_accumulation_steps=2",)),
    Way("accumulation 4", ("--gradient_accumulation_steps=4",)),
    Way("recompute", (RECOMPUTE,)),
    Way("XLA", (XLA,)),
    Way(
        "2 logical CPUs, accumulation 2, recompute",
        ("--gradient_accumulation_steps=2", RECOMPUTE),
        devices=2,
    ),
    Way(
        "2 processes, accumulation 2, recompute",
        ("--gradient_accumulation_steps=2", RECOMPUTE),
        workers=2,
    ),
    Way(
        "accumulation 4, recompute, XLA",
        ("--gradient_accumulation_steps=4", RECOMPUTE, XLA),
    ),
    Way("2 logical CPUs, XLA", (XLA,), devices=2),
    Way("dropout 0.1", dropout=0.1),
    Way("dropout 0.1, recompute", (RECOMPUTE,), dropout=0.1),
    Way(
        "dropout 0.1, accumulation 2",
        ("--gradient_accumulation_steps=2",),
        dropout=0.1,
    ),
    Way(
        "dropout 0.1, accumulation 2, recompute",
        ("--gradient_accumulation_steps=2", RECOMPUTE),
        dropout=0.1,
    ),
)
# What each run is compared with: the same without what is tried.
REFERENCES = {
    "dropout 0.1, recompute": "dropout 0.1",
    "dropout 0.1, accumulation 2, recompute": "dropout 0.1, accumulation 2",
}

# What a process of a run does: argv is the number of devices, then flags.
PROCESS = """
import sys
from absl import flags, logging
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
)
import run_pretraining

logging.set_verbosity(logging.INFO)
values = flags.FlagValues()
run_pretraining.define_flags(values)
values(["run_pretraining.py", *sys.argv[2:]])
run_pretraining.pretrain(run_pretraining.Config.from_flags(values))
"""


def main() -> None:
    """Runs every way that is not there yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work_dir", required=True, type=Path)
    args = parser.parse_args()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    records = create_records(args.work_dir)
    for dropout in (0.0, 0.1):
        write_model(args.work_dir, dropout)
    for way in WAYS:
        take_steps(way, records, args.work_dir)
    print("| 20 steps, batch 16, rate 1e-4 | weights | key biases |")
    print("|---|---|---|")
    for way in WAYS:
        reference = REFERENCES.get(way.name, "one device")
        if way.dropout and way.name not in REFERENCES:
            continue
        weights, biases = differences(
            args.work_dir / slug(way.name), args.work_dir / slug(reference)
        )
        print(f"| {way.name} | {weights:.1e} | {biases:.1e} |")


def create_records(work_dir: Path) -> Path:
    """Makes records of the sample text."""
    path = work_dir / "records.tfrecord"
    if not path.exists():
        run(
            [
                "create_pretraining_data.py",
                "--input_file=sample_data/corpus.txt",
                "--vocab_file=sample_data/vocab.txt",
                f"--output_file={path}",
                "--max_seq_length=64",
                "--max_predictions_per_seq=10",
            ]
        )
    return path


def write_model(work_dir: Path, dropout: float) -> None:
    """Writes the configuration of the sample model with another dropout."""
    config = json.loads((ROOT / "sample_data/bert_config.json").read_text())
    config["hidden_dropout_prob"] = dropout
    config["attention_probs_dropout_prob"] = dropout
    (work_dir / f"config-{dropout}.json").write_text(json.dumps(config))


def take_steps(way: Way, records: Path, work_dir: Path) -> None:
    """Trains 20 steps in one way, in its own folder."""
    output_dir = work_dir / slug(way.name)
    if (output_dir / f"model.ckpt-{STEPS}.index").exists():
        return
    flags = [
        "--do_train",
        f"--input_file={records}",
        f"--output_dir={output_dir}",
        f"--bert_config_file={work_dir / f'config-{way.dropout}.json'}",
        "--max_seq_length=64",
        "--max_predictions_per_seq=10",
        "--train_batch_size=16",
        "--learning_rate=1e-4",
        f"--num_train_steps={STEPS}",
        "--num_warmup_steps=2",
        "--random_seed=1",
        *way.flags,
    ]
    command = ["-c", PROCESS, str(way.devices), *flags]
    print(f"{way.name} …", file=sys.stderr, flush=True)
    run(command, *worker_environments(way.workers))


def worker_environments(workers: int) -> list[dict[str, str]]:
    """Returns what makes processes on this machine work together."""
    if workers == 1:
        return [{}]
    hosts = [f"localhost:{free_port()}" for _ in range(workers)]
    return [
        {
            "TF_CONFIG": json.dumps(
                {
                    "cluster": {"worker": hosts},
                    "task": {"type": "worker", "index": index},
                }
            )
        }
        for index in range(workers)
    ]


def run(command: list[str], *environments: dict[str, str]) -> None:
    """Runs one process for each environment, at the same time."""
    processes = [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        for environment in environments or ({},)
    ]
    for process in processes:
        _, log = process.communicate()
        if process.returncode:
            sys.exit(log[-3000:])


def free_port() -> int:
    """Returns a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def differences(folder: Path, reference: Path) -> tuple[float, float]:
    """Returns the largest difference of weights, and of key biases.

    A key's bias changes no attention weight: its gradient is rounding noise,
    which Adam makes steps of.
    """
    import tensorflow as tf

    ours, theirs = (
        tf.train.load_checkpoint(str(f / f"model.ckpt-{STEPS}"))
        for f in (folder, reference)
    )
    largest = {True: 0.0, False: 0.0}
    for name in ours.get_variable_to_shape_map():
        if name == "global_step" or "/adam_" in name:
            continue
        difference = np.abs(ours.get_tensor(name) - theirs.get_tensor(name))
        is_key_bias = name.endswith("key/bias")
        largest[is_key_bias] = max(largest[is_key_bias], difference.max())
    return float(largest[False]), float(largest[True])


def slug(name: str) -> str:
    """Returns a name for a folder."""
    return name.replace(", ", "-").replace(" ", "-")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
