"""Times create_pretraining_data.py, from tokenized text to written records.

    python -m benchmarks.data_creation --input_file=... --vocab_file=...

The unit of time is one `random.Random.shuffle` of a list of 125 one-element
lists, which is what the original does once a record. It is timed between
parts of the work, in the same process on the same core, so that the
figure says how good the code is and not how fast or busy the machine is.
"""

import dataclasses
import os
import random
import statistics
import tempfile
import time

from absl import flags

from bert import create_pretraining_data as script
from bert.cli import command_line
from bert.cli.progress import Progress
from bert.data.corpus import instance_records, serial_run
from bert.data.corpus.documents import Documents
from bert.data.corpus.instance_settings import Vocabulary
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.text.tokenization import FullTokenizer

_UNITS_A_SAMPLE = 500
_DOCUMENTS_A_PART = 500


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the script's flags, and how often the work is timed."""
    script.define_flags(flag_values)
    flag_values.set_default("output_file", "a temporary file")
    flag_values.set_default("dupe_factor", 2)
    flags.DEFINE_integer(
        "rounds",
        3,
        "How often all of the work is timed.",
        lower_bound=1,
        flag_values=flag_values,
    )


def seconds_a_unit() -> float:
    """Times the unit."""
    rng = random.Random(0)
    items = [[i] for i in range(125)]
    started = time.perf_counter()
    for _ in range(_UNITS_A_SAMPLE):
        rng.shuffle(items)
    return (time.perf_counter() - started) / _UNITS_A_SAMPLE


def part_of(documents: Documents, start: int) -> Documents:
    """Returns some of the documents, from `start` on."""
    firsts = documents.firsts[start : start + _DOCUMENTS_A_PART + 1]
    bounds = documents.bounds[firsts[0] : firsts[-1] + 1]
    return Documents(
        documents.ids[bounds[0] : bounds[-1]],
        [bound - bounds[0] for bound in bounds],
        [first - firsts[0] for first in firsts],
    )


def seconds_a_record(
    documents: Documents,
    config: script.Config,
    tokenizer: FullTokenizer,
) -> float:
    """Times the way from tokenized text to the written file."""
    settings = config.settings
    fields = pretraining_fields(
        settings.max_seq_length, settings.max_predictions_per_seq
    )
    vocabulary = Vocabulary.from_vocab(tokenizer.vocab)
    started = time.perf_counter()
    frames = serial_run.records(
        *(documents, fields, settings, vocabulary),
        *(config.random_seed, Progress),
    )
    instance_records.write(frames, config.output_files)
    return (time.perf_counter() - started) / len(frames)


def main(given: flags.FlagValues) -> None:
    """Text → documents; then part by part, documents → records, timed."""
    tokenizer = FullTokenizer(given.vocab_file, given.do_lower_case)
    documents = serial_run.read([given.input_file], tokenizer, Progress)
    parts = range(0, len(documents), _DOCUMENTS_A_PART)
    work, units = [], [seconds_a_unit()]
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(
            script.Config.from_flags(given),
            output_file=os.path.join(folder, "records"),
        )
        for start in [*parts] * given.rounds:
            part = part_of(documents, start)
            work.append(seconds_a_record(part, config, tokenizer))
            units.append(seconds_a_unit())
    ratios = [
        2 * record / (before + after)
        for record, before, after in zip(work, units, units[1:], strict=False)
    ]
    median = statistics.median(ratios)
    print(f"record: {statistics.median(work) * 1e6:.1f} us")
    print(f"unit:   {statistics.median(units) * 1e6:.1f} us")
    print(f"record: {median:.2f} units (median of {len(ratios)} parts)")


if __name__ == "__main__":
    FLAGS = command_line.flags_of(define_flags)
    command_line.run(lambda: main(FLAGS), FLAGS)
