"""Does pre-training help any encoder? Repeats a table of docs/results.md.

TextCNN, BiLSTM and BERT of about two million weights beside the word table are
trained on SST-2 (its first 10,000 rows) and MRPC: from random weights, and
after masked LM and next sentence on a text. Prints a row of a Markdown table
for each. Runs that are done are not run again, and one that was stopped goes
on: the same command fills the table up.

    python -m benchmarks.encoders --data_dir=data --vocab_file=vocab.txt \
        --work_dir=/tmp/encoders

--data_dir has the folders glue/ (MRPC, SST-2) and imdb/ (unlabeled.txt).
--speed measures the steps a second alone: on an idle machine, in a work_dir
that is new.
"""

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path

import tensorflow as tf

from benchmarks import fine_tuning, mrpc, pretraining

# All have the same word table, and about as many weights beside it.
SIZES = {
    "textcnn": {"num_hidden_layers": 6},
    "bilstm": {"num_hidden_layers": 4},
    "bert": {
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
    },
}
# Small models learn at larger rates than the original's.
_RECIPE = (
    "--do_train --adam_bias_correction --learning_rate_schedule=linear "
    "--save_checkpoints_steps=500 "
)
_PRE_TRAINING = _RECIPE + (
    "--train_batch_size=16 --learning_rate=5e-4 --num_warmup_steps=100"
)
_FINE_TUNING = _RECIPE + (
    "--do_eval --noeval_report --train_batch_size=32 --eval_batch_size=32 "
    "--learning_rate=3e-4 --save_optimizer=none "
)
TASKS = {
    "sst-2": _FINE_TUNING
    + "--task_name=SST-2 --num_train_epochs=2 --max_seq_length=64 "
    "--data_dir={work}/SST-2",
    "mrpc": _FINE_TUNING
    + "--task_name=MRPC --num_train_epochs=3 --max_seq_length=128 "
    "--data_dir={data}/glue/MRPC",
}
STARTS = ("random", "pretrained")


def main() -> None:
    """Runs what is not done yet; prints the table."""
    args = _parse()
    args.work_dir.mkdir(parents=True, exist_ok=True)
    columns = ["encoder", "steps/s"]
    if not args.speed:
        columns += ["weights", "masked-LM loss"]
        columns += [f"{t}, {start}" for t in args.tasks for start in STARTS]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name in args.encoders:
        cells = [name, f"{steps_per_second(name, args):.2f}"]
        if not args.speed:
            cells += results(name, args)
        print(f"| {' | '.join(cells)} |", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--vocab_file", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--encoders", default=",".join(SIZES))
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--num_train_steps", default=1500, type=int)
    parser.add_argument("--speed", action="store_true")
    args = parser.parse_args()
    for flag, known in (("encoders", SIZES), ("tasks", TASKS)):
        names = getattr(args, flag).split(",")
        if unknown := sorted(set(names) - set(known)):
            sys.exit(f"--{flag}: expected {', '.join(known)}; not {unknown[0]}")
        setattr(args, flag, names)
    args.seeds = args.seeds.split(",")
    return args


def steps_per_second(name: str, args: argparse.Namespace) -> float:
    """Returns the steps of pre-training a second, the median of six parts."""
    folder = pre_train(name, args, num_steps=60).parent
    return statistics.median(pretraining.values(folder, "global_step/sec"))


def results(name: str, args: argparse.Namespace) -> list[str]:
    """Returns the other cells of an encoder's row; runs what it lacks."""
    start = pre_train(name, args, args.num_train_steps)
    loss = pretraining.last_value(start.parent, "masked_lm_loss")
    cells = [f"{count_weights(start):,}", f"{loss:.3f}"]
    for task in args.tasks:
        for init in (None, start):
            folders = [fine_tune(name, task, init, s, args) for s in args.seeds]
            found = [fine_tuning.read_results(folder) for folder in folders]
            values = [result["eval_accuracy"] for result in found]
            each = ", ".join(f"{value:.3f}" for value in values)
            cells.append(f"{mrpc.mean_and_spread(values)} ({each})")
    return cells


def write_config(name: str, args: argparse.Namespace) -> Path:
    """Writes an encoder's bert_config.json; returns its path."""
    with open(args.vocab_file, encoding="utf-8") as file:
        vocab_size = sum(1 for _ in file)
    config = {
        "vocab_size": vocab_size,
        "hidden_size": 256,
        "type_vocab_size": 2,
        **SIZES[name],
    }
    if name != "bert":
        config["encoder_type"] = name
    path = args.work_dir / f"{name}.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def pre_train(name: str, args: argparse.Namespace, num_steps: int) -> Path:
    """Returns the checkpoint after pre-training."""
    records = args.work_dir / "records.tfrecord"
    creation = [
        "create_pretraining_data.py",
        f"--input_file={args.data_dir / 'imdb/unlabeled.txt'}",
        f"--output_file={records}",
        f"--vocab_file={args.vocab_file}",
        "--max_seq_length=128",
        "--max_predictions_per_seq=20",
        "--dupe_factor=2",
    ]
    fine_tuning.run_once(creation, records)
    folder = args.work_dir / f"{name}-{num_steps}"
    command = [
        "run_pretraining.py",
        *_PRE_TRAINING.split(),
        f"--input_file={records}",
        f"--bert_config_file={write_config(name, args)}",
        f"--output_dir={folder}",
        f"--num_train_steps={num_steps}",
        f"--log_steps={min(100, num_steps // 6)}",
        "--random_seed=1",
    ]
    fine_tuning.run_once(command, folder)
    return folder / f"model.ckpt-{num_steps}"


def fine_tune(
    name: str,
    task: str,
    init: Path | None,
    seed: str,
    args: argparse.Namespace,
) -> Path:
    """Returns the folder of a run that ended; init: where it starts."""
    if task == "sst-2":
        fine_tuning.cut_training_set(task, args)
    kind = STARTS[init is not None]
    folder = args.work_dir / f"{name}-{task}-{kind}-seed{seed}"
    flags = TASKS[task].format(data=args.data_dir, work=args.work_dir)
    command = [
        "run_classifier.py",
        *flags.split(),
        f"--bert_config_file={write_config(name, args)}",
        f"--vocab_file={args.vocab_file}",
        f"--output_dir={folder}",
        f"--random_seed={seed}",
    ]
    if init:
        command.append(f"--init_checkpoint={init}")
    fine_tuning.run_once(command, folder)
    return folder


def count_weights(prefix: Path) -> int:
    """Returns how many weights an encoder has beside its word table."""
    shapes = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if name.startswith(("bert/", "encoder/", "gpt/"))
        and not name.endswith(("/word_embeddings", "/adam_m", "/adam_v"))
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
