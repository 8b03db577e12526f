"""Texts a second of pre-training: in rows of their own, packed, masked anew.

Makes records from a text, then takes turns: some steps in each way, the input
pipeline counted in, all in one process. A row of several texts counts as
several.

    python -m benchmarks.packing --input_file=corpus.txt \
        --vocab_file=vocab.txt --work_dir=/tmp/packing
    python -m benchmarks.packing … --document_lines=3     (short documents)
    python -m benchmarks.packing … --model=tiny --max_seq_length=128 \
        --train_batch_size=32 --ways=static,dynamic
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from bert.cli import environment

environment.prepare()

import tensorflow as tf  # noqa: E402

from benchmarks import models  # noqa: E402
from bert import create_pretraining_data, run_pretraining  # noqa: E402
from bert.data.records import input_pipeline  # noqa: E402
from bert.modeling import heads  # noqa: E402
from bert.modeling.config import read_config  # noqa: E402
from bert.tasks.pretraining import inputs, records, training  # noqa: E402
from bert.training.steps import StepSettings, compile_train_step  # noqa: E402

# Flags of run_pretraining.py.
WAYS = {
    "static": (),
    "packed": ("--pack_sequences",),
    "dynamic": ("--masking=dynamic",),
    "packed+dynamic": ("--pack_sequences", "--masking=dynamic"),
}


def main() -> None:
    """Records, then the ways in turns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input_file", required=True)
    parser.add_argument("--vocab_file", required=True)
    parser.add_argument("--do_lower_case", default="true")
    parser.add_argument("--work_dir", required=True, type=Path)
    parser.add_argument("--model", choices=models.NAMES, default="small")
    parser.add_argument("--max_seq_length", type=int, default=512)
    parser.add_argument("--train_batch_size", type=int, default=8)
    parser.add_argument("--document_lines", type=int)
    parser.add_argument("--num_lines", type=int, default=20000)
    parser.add_argument("--ways", default="static,packed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    args = parser.parse_args()
    args.config = models.sizes(args.model)
    prepare(args)
    runs = {way: Run(args, way) for way in args.ways.split(",")}
    rates: dict[str, list[float]] = {way: [] for way in runs}
    for _ in range(args.rounds):
        for way, run in runs.items():
            rates[way].append(run.texts_a_second(args.steps))
    first = next(iter(rates))
    print("| way | texts a row | filled | texts/s | times |")
    print("|---|---|---|---|---|")
    for way, run in runs.items():
        ratios = [a / b for a, b in zip(rates[way], rates[first], strict=True)]
        print(
            f"| {way} | {run.texts / run.rows:.2f} | "
            f"{run.tokens / run.rows / args.max_seq_length:.0%} | "
            f"{statistics.median(rates[way]):.1f} | "
            f"{statistics.median(ratios):.2f} |"
        )


def prepare(args: argparse.Namespace) -> None:
    """Makes the configuration, and records of the text's beginning."""
    args.work_dir.mkdir(parents=True, exist_ok=True)
    config = args.work_dir / "bert_config.json"
    config.write_text(json.dumps(args.config))
    text = args.work_dir / "text.txt"
    with open(args.input_file, encoding="utf-8") as source:
        lines = list(itertools.islice(source, args.num_lines))
    text.write_text("".join(cut(lines, args.document_lines)), encoding="utf-8")
    flag_values = flags.FlagValues()
    create_pretraining_data.define_flags(flag_values)
    flag_values(
        [
            "create_pretraining_data",
            f"--input_file={text}",
            f"--output_file={args.work_dir / 'records'}",
            f"--vocab_file={args.vocab_file}",
            f"--do_lower_case={args.do_lower_case}",
            *size_flags(args),
            "--dupe_factor=1",
        ]
    )
    create_pretraining_data.create_pretraining_data(
        create_pretraining_data.Config.from_flags(flag_values)
    )


def cut(lines: list[str], document_lines: int | None) -> Iterator[str]:
    """Yields lines, with a blank one after each document's first few."""
    count = 0
    for line in lines:
        count = count + 1 if line.strip() else 0
        yield line
        if count == document_lines:
            yield "\n"
            count = 0


def size_flags(args: argparse.Namespace) -> list[str]:
    """Returns the flags of the records' sizes."""
    predictions = round(0.15 * args.max_seq_length)
    return [
        f"--max_seq_length={args.max_seq_length}",
        f"--max_predictions_per_seq={predictions}",
    ]


class Run:
    """A training that is gone on with from time to time.

    Attributes:
        rows: taken so far.
        texts: in these.
        tokens: in these, without padding.
    """

    def __init__(self, args: argparse.Namespace, way: str) -> None:
        flag_values = flags.FlagValues()
        run_pretraining.define_flags(flag_values)
        flag_values(
            [
                "run_pretraining",
                f"--input_file={args.work_dir / 'records'}",
                f"--bert_config_file={args.work_dir / 'bert_config.json'}",
                f"--vocab_file={args.vocab_file}",
                f"--output_dir={args.work_dir / 'out'}",
                "--do_train",
                f"--train_batch_size={args.train_batch_size}",
                *size_flags(args),
                *WAYS[way],
            ]
        )
        config = run_pretraining.Config.from_flags(flag_values)
        source = training.record_source(
            config,
            read_config(config.bert_config_file),
            inputs.record_files(config),
            is_trained=True,
        )
        batches = input_pipeline.train_batches(
            records.for_training(config, source),
            config.train_batch_size,
            seed=1,
            shuffle_buffer_size=1000,
        )
        model = heads.PretrainingModel(
            read_config(config.bert_config_file), init_seed=1
        )
        self._step = compile_train_step(
            model,
            models.make_optimizer(model),
            StepSettings(seed=1),
            batches.element_spec,
        )
        self._batches = iter(batches)
        self.rows = self.texts = self.tokens = 0
        self.texts_a_second(1)  # compiles

    def texts_a_second(self, steps: int) -> float:
        """Takes some steps."""
        texts, loss = 0, None
        begun = time.perf_counter()
        for _ in range(steps):
            batch = next(self._batches)
            loss = self._step(batch)["loss"]
            rows = len(batch["input_ids"])
            # A row begins with a text; those behind it begin later.
            starts = batch.get("text_starts", tf.zeros([1, 1], tf.int32))
            texts += rows + int(tf.math.count_nonzero(starts))
            self.rows += rows
            self.tokens += int(tf.reduce_sum(batch["input_mask"]))
        float(loss)  # waits for the last step
        self.texts += texts
        return texts / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
