"""Compares objectives of pre-training at equal time, on the same held-out text.

A BERT of 2 layers and 128 units is pre-trained on a text for --seconds with
each objective, as many steps as the machine takes in that time; then its
masked-LM loss is measured on the same records of held-out documents (static
masks, a text a row), and it is fine-tuned on SST-2 (the first 10,000 rows).
Prints a Markdown table. What is done is not done again.

    python -m benchmarks.objectives --input_file=unlabeled.txt \
        --vocab_file=vocab.txt --data_dir=data --work_dir=/tmp/objectives

--data_dir has the folder glue/SST-2. The text has a sentence a line and blank
lines between documents. Times are fair on a machine that does nothing else.
"""

import argparse
import re
import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks import fine_tuning
from benchmarks.fine_tuning import read_results, run_once
from benchmarks.pretraining import RECIPES, masked_ids

# Of so many documents one is held out.
_EVERY = 20
# Steps by which a rate is measured; the first ones are not counted.
_TIMED, _WARM = 60, 20


class Objective(NamedTuple):
    """What is compared.

    Attributes:
        records: flags of create_pretraining_data.py.
        training: flags of run_pretraining.py.
    """

    records: tuple[str, ...] = ()
    training: tuple[str, ...] = ()


OBJECTIVES = {
    "static": Objective(),
    "dynamic": Objective(training=("--masking=dynamic",)),
    "packed": Objective(training=("--pack_sequences",)),
    "dynamic,packed": Objective(
        training=("--masking=dynamic", "--pack_sequences")
    ),
    "sop": Objective(records=("--next_sentence=sop",)),
    "none": Objective(records=("--next_sentence=none",)),
    "ngram": Objective(records=("--max_ngram=3",)),
}


def main() -> None:
    """Trains, evaluates and fine-tunes; prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--input_file", required=True, type=Path)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--data_dir", required=True, type=Path)
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--objectives", default="static dynamic packed")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--max_seq_length", type=int, default=512)
    parser.add_argument("--train_batch_size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fine_tuning_seeds", default="1,2,3")
    args = parser.parse_args()
    names = args.objectives.split()
    unknown = sorted(set(names) - set(OBJECTIVES))
    if unknown:
        parser.error(
            f"--objectives: expected {', '.join(OBJECTIVES)}, with spaces "
            f"between; received {unknown[0]}"
        )
    args.work_dir.mkdir(parents=True, exist_ok=True)
    divide(args.input_file, args.work_dir)
    write_config(args)
    held_out = create(args, "held_out", Objective(), 1)
    print(
        "| objective | steps | masked-LM loss, held out | masked pieces right "
        "| SST-2, mean (each seed) |\n|---|---|---|---|---|"
    )
    for name in names:
        print(row(args, name, held_out), flush=True)


def divide(text: Path, work: Path) -> None:
    """Writes text.txt, and held_out.txt with every 20th document."""
    documents = text.read_text(encoding="utf-8").strip().split("\n\n")
    kept = [one for n, one in enumerate(documents) if n % _EVERY]
    for name, chosen in (
        ("text.txt", kept),
        ("held_out.txt", documents[::_EVERY]),
    ):
        path = work / name
        # Records remember when their text was written.
        if not path.exists():
            path.write_text("\n\n".join(chosen) + "\n", encoding="utf-8")


def write_config(args: argparse.Namespace) -> None:
    """Writes the configuration of the model."""
    path = args.work_dir / "bert_config.json"
    command = [
        *("-m", "bert", "make_config", "--size=2x128", "--overwrite"),
        f"--vocab_file={args.vocab_file}",
        f"--output_file={path}",
    ]
    run_once(command, args.work_dir / "config")


def create(
    args: argparse.Namespace, text: str, objective: Objective, passes: int
) -> str:
    """Makes records of a text; returns their pattern."""
    name = "".join(c for c in "".join(objective.records) if c.isalnum())
    records = args.work_dir / f"{text}-records-{name or 'original'}"
    command = [
        "create_pretraining_data.py",
        f"--input_file={args.work_dir / text}.txt",
        f"--output_file={records}",
        f"--vocab_file={args.vocab_file}",
        f"--dupe_factor={passes}",
        *("--do_lower_case=True", "--num_workers=2"),
        *lengths(args),
        *objective.records,
    ]
    run_once(command, records.with_name(f"{records.name}-made"))
    return f"{records}-*-of-*"


def lengths(args: argparse.Namespace) -> list[str]:
    """Returns the flags of lengths; 15 % of a sequence is masked."""
    length = args.max_seq_length
    return [
        f"--max_seq_length={length}",
        f"--max_predictions_per_seq={-(-length * 15 // 100)}",
    ]


def row(args: argparse.Namespace, name: str, held_out: str) -> str:
    """Returns an objective's row of the table; does what it lacks."""
    steps = train(args, name)
    run_dir = args.work_dir / name
    figures = evaluate(args, name, held_out)
    accuracies = [
        fine_tune(args, run_dir, seed)
        for seed in args.fine_tuning_seeds.split(",")
    ]
    each = ", ".join(f"{value:.3f}" for value in accuracies)
    return (
        f"| {name} | {steps:,} | {figures['masked_lm_loss']:.3f} "
        f"| {figures['masked_lm_accuracy']:.3f} "
        f"| {statistics.fmean(accuracies):.3f} ({each}) |"
    )


def train(args: argparse.Namespace, name: str) -> int:
    """Trains for --seconds; returns how many steps that were."""
    objective = OBJECTIVES[name]
    records = create(args, "text", objective, 5)
    timed = args.work_dir / f"{name}-timed"
    run_once(training_command(args, objective, records, timed, _TIMED), timed)
    steps = round(args.seconds * steps_per_second(timed))
    folder = args.work_dir / name
    run_once(training_command(args, objective, records, folder, steps), folder)
    return steps


def training_command(
    args: argparse.Namespace,
    objective: Objective,
    records: str,
    output_dir: Path,
    num_train_steps: int,
) -> list[str]:
    """Returns a training of so many steps."""
    return [
        *("run_pretraining.py", "--do_train", *RECIPES["corrected"]),
        f"--input_file={records}",
        f"--bert_config_file={args.work_dir / 'bert_config.json'}",
        f"--vocab_file={args.vocab_file}",
        f"--output_dir={output_dir}",
        f"--train_batch_size={args.train_batch_size}",
        f"--num_train_steps={num_train_steps}",
        f"--random_seed={args.seed}",
        f"--log_steps={_WARM}",
        *lengths(args),
        *objective.training,
    ]


def steps_per_second(output_dir: Path) -> float:
    """Returns the rate that a run's log tells, without its first point."""
    log = output_dir.with_name(output_dir.name + ".log").read_text()
    points = re.findall(r"global_step/sec: ([\d.]+)", log)[1:]
    return statistics.fmean(map(float, points))


def evaluate(
    args: argparse.Namespace, name: str, held_out: str
) -> dict[str, float]:
    """Returns the figures of held-out records, each read once."""
    folder = args.work_dir / f"{name}-evaluated"
    batch = 32
    paths = sorted(args.work_dir.glob(Path(held_out).name))
    num_records = sum(1 for _ in masked_ids(map(str, paths)))
    command = [
        *("run_pretraining.py", "--do_eval", "--noeval_report"),
        # Of masked pieces alone, so that all are asked the same.
        "--next_sentence=none",
        f"--input_file={held_out}",
        f"--bert_config_file={args.work_dir / 'bert_config.json'}",
        f"--init_checkpoint={args.work_dir / name}",
        f"--output_dir={folder}",
        f"--eval_batch_size={batch}",
        # The rest would begin the records anew.
        f"--max_eval_steps={num_records // batch}",
        *lengths(args),
    ]
    run_once(command, folder)
    return read_results(folder)


def fine_tune(args: argparse.Namespace, run_dir: Path, seed: str) -> float:
    """Returns the accuracy on SST-2 of a run's model, fine-tuned."""
    fine_tuning.cut_training_set("sst-2", args)
    folder = args.work_dir / f"{run_dir.name}-sst2-seed{seed}"
    command = [
        *("run_classifier.py", "--do_train", "--do_eval", "--noeval_report"),
        *("--task_name=SST-2", "--max_seq_length=128"),
        f"--data_dir={args.work_dir / 'SST-2'}",
        f"--vocab_file={args.vocab_file}",
        f"--bert_config_file={args.work_dir / 'bert_config.json'}",
        f"--init_checkpoint={run_dir}",
        f"--output_dir={folder}",
        # Larger than the original's: so small a model needs it.
        *("--learning_rate=5e-4", "--num_train_epochs=2"),
        *("--adam_bias_correction", "--learning_rate_schedule=linear"),
        *("--train_batch_size=32", "--eval_batch_size=32"),
        f"--random_seed={seed}",
    ]
    run_once(command, folder)
    return read_results(folder)["eval_accuracy"]


if __name__ == "__main__":
    main()
