"""Makes pre-training records from plain text.

Input: a sentence a line, a blank line after each document. Output: TFRecords
for run_pretraining.py, the same for the same files, flags and seed.
"""

import dataclasses
import functools
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from absl import flags, logging

from bert.cli import (
    command_line,
    environment,
    pretraining_flags,
    shared_flags,
)
from bert.cli.config import FlagConfig
from bert.cli.progress import Progress
from bert.compat import names
from bert.data.corpus import record_notes
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.record_notes import Note
from bert.data.records import record_output
from bert.data.text import plain_text, special_tokens
from bert.data.text.tokenization import checked_tokenizer
from bert.errors import UserError
from bert.files import flag_paths

if TYPE_CHECKING:
    from bert.data.corpus.streaming import Job
    from bert.data.corpus.worker_pool import Pool


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    shared_flags.define_required_strings(
        flag_values,
        input_file="Text files: paths or glob patterns, separated by commas.",
        output_file="TFRecord files to write, separated by commas; they take "
        "turns, a record each.",
        vocab_file="The vocabulary file that the model is trained on.",
    )
    shared_flags.define_do_lower_case(flag_values)
    shared_flags.define_max_seq_length(
        flag_values,
        128,
        "Length of the sequences, padding included.",
        lower_bound=None,
    )
    shared_flags.define_integers(
        flag_values,
        max_predictions_per_seq=(20, "Masked positions of a sequence."),
        random_seed=(12345, "Seed of everything that is drawn."),
        dupe_factor=(
            10,
            "Passes over the text, each with other masks. Without a value and "
            "masks, one.",
        ),
    )
    shared_flags.define_next_sentence(
        flag_values,
        "nsp",
        "The second task. nsp: does the second text follow the first? sop: "
        "are two parts of a text in their order, or swapped? none: one text "
        "a sequence.",
    )
    flags.DEFINE_float(
        "short_seq_prob",
        0.1,
        "How often a document's sequences are made shorter than they could be.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "output_compression",
        "none",
        record_output.COMPRESSIONS,
        "How the records are packed; all scripts read either.",
        flag_values=flag_values,
    )
    pretraining_flags.define_mask_flags(
        flag_values,
        has_defaults=True,
        masking="dynamic: no masks; run_pretraining.py draws them.",
        pack_sequences="Whether to put several texts into a record, which do "
        "not see one another, instead of padding.",
    )
    _define_streaming_flags(flag_values)


def _define_streaming_flags(flag_values: flags.FlagValues) -> None:
    shared_flags.define_integers(
        flag_values,
        lower_bound=0,
        upper_bound=1000,
        num_workers=(
            0,
            "Processes of the streaming mode, for text of any size: shards "
            "named after --output_file, the same for any number. 0: the "
            "original's records, all of them in memory.",
        ),
    )
    flags.DEFINE_enum(
        "beam_runner",
        None,
        ["DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"],
        "Apache Beam makes the shards of the streaming mode, on as many "
        "machines as it is given (requirements-beam.txt).",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "beam_options",
        "",
        "What Beam is to be told, as on a command line: '--a=1 --b=2'.",
        flag_values=flag_values,
    )


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("create_pretraining_data")


@dataclasses.dataclass(frozen=True)
class Config(FlagConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    output_file: str
    vocab_file: str
    do_lower_case: bool
    random_seed: int
    settings: InstanceSettings
    output_compression: str
    num_workers: int
    beam_runner: str | None
    beam_options: str

    def __post_init__(self):
        outputs = self.output_files
        places = {
            os.path.realpath(name + suffix)
            for name in outputs
            for suffix in ("", record_notes.SUFFIX)
        }
        checks = (
            (
                "" not in outputs and len(places) == 2 * len(outputs),
                "--output_file must be different paths, separated by commas. "
                f"Received: {self.output_file!r}.",
            ),
            (
                not self.is_streaming or len(outputs) == 1,
                "--output_file must be one path, which the shards are named "
                f"after, as the records are streamed. Received: {outputs}.",
            ),
            (
                not (self.beam_runner and self.num_workers),
                "--num_workers must not be given with --beam_runner, which "
                f"has its own options. Received: {self.num_workers}.",
            ),
            (
                self.beam_runner is not None or not self.beam_options,
                "--beam_options must come with --beam_runner. "
                f"Received: {self.beam_options!r}.",
            ),
        )
        faults = [
            *self.settings.faults(),
            *(message for passed, message in checks if not passed),
        ]
        if faults:
            raise UserError(" ".join(faults))

    @classmethod
    def from_flags(cls, flag_values: flags.FlagValues) -> Self:
        """Reads it from parsed flags. Passes differ by their masks alone."""
        config = super().from_flags(flag_values)
        given = flag_values["dupe_factor"].present
        if given or config.settings.masking == "static":
            return config
        settings = dataclasses.replace(config.settings, dupe_factor=1)
        return dataclasses.replace(config, settings=settings)

    @property
    def output_files(self) -> list[str]:
        """The paths of --output_file."""
        return self.output_file.split(",")

    @property
    def is_streaming(self) -> bool:
        """Whether shards are made, instead of the original's records."""
        return self.num_workers > 0 or self.beam_runner is not None


def create_pretraining_data(config: Config) -> None:
    """Text → documents → instances → records.

    Raises:
        UserError: a file is missing or in the way, or holds no text.
    """
    if config.is_streaming:
        create_shards(config)
        return
    environment.prepare()  # not above: the memory that it keeps would add up
    # Here, so that --help needs no NumPy.
    from bert.data.corpus import instance_records, serial_run, text_shape
    from bert.data.corpus.record_fields import pretraining_fields

    settings = config.settings
    tokenizer = checked_tokenizer(config.vocab_file, config.do_lower_case)
    tokenizer.require_tokens(special_tokens.of(tokenizer.vocab).mask)
    input_files = flag_paths.matching_files(config.input_file, "input_file")
    plain_text.check(input_files)
    check_output_files(config.output_files, [*input_files, config.vocab_file])
    note = Note.of(config.vocab_file, config.do_lower_case, settings)

    logging.info("*** Reading from input files ***")
    for name in input_files:
        logging.info("  %s", name)
    documents = serial_run.read(input_files, tokenizer, Progress)
    text_shape.check(documents, settings, input_files)
    unknown = tokenizer.vocab[special_tokens.of(tokenizer.vocab).unk]
    text_shape.warn_of_unknown(
        documents, unknown, config.vocab_file, input_files
    )

    fields = pretraining_fields(
        settings.max_seq_length,
        settings.max_predictions_per_seq,
        settings.pack_sequences,
    )
    vocabulary = Vocabulary.from_vocab(tokenizer.vocab)
    frames = serial_run.records(
        *(documents, fields, settings, vocabulary),
        *(config.random_seed, Progress),
    )

    logging.info("*** Writing to output files ***")
    for name in config.output_files:
        logging.info("  %s", name)
    serial_run.log_examples(frames, fields, tokenizer)
    instance_records.write(
        frames, config.output_files, config.output_compression, note
    )


def create_shards(config: Config) -> None:
    """Text of any size → records, in several processes.

    Raises:
        UserError: a file is missing or in the way, or holds no text.
    """
    # Here, so that --help needs no NumPy.
    from bert.data.corpus import streaming, streaming_run

    input_files = flag_paths.matching_files(config.input_file, "input_file")
    check_plain_files("input_file", input_files)
    check_plain_files("vocab_file", [config.vocab_file])
    plain_text.check(input_files)
    job = streaming.Job.of(
        input_files,
        config.output_file,
        vocab_file=config.vocab_file,
        do_lower_case=config.do_lower_case,
        settings=config.settings,
        seed=config.random_seed,
        compression=config.output_compression,
    )
    streaming.tokenizer(job)  # so that what is wrong is said at once, and once
    flag_paths.check_writable(config.output_file, "output_file")
    logging.info("*** Reading from input files ***")
    for name in job.names:
        logging.info("  %s", name)
    streaming_run.create(job, lambda: make_pool(config, job), Progress)


def make_pool(config: Config, job: "Job") -> "AbstractContextManager[Pool]":
    """Returns what runs the parts of a job."""
    from bert.data.corpus import streaming, worker_pool

    make_worker = functools.partial(streaming.Worker, job)
    if config.beam_runner:
        from bert.data.corpus.beam_pool import BeamPool

        return BeamPool(
            config.beam_runner,
            config.beam_options,
            job.reservoir_file + ".result",
            make_worker,
        )
    # No process without a block to read.
    num_workers = min(config.num_workers, max(1, job.text.num_blocks))
    return worker_pool.WorkerPool(num_workers, make_worker)


def check_plain_files(flag: str, names: Iterable[str]) -> None:
    """Raises UserError where one cannot be read again, by another process."""
    for name in names:
        if os.path.exists(name) and not os.path.isfile(name):
            raise UserError(
                "The streaming mode needs plain files, of which it reads parts "
                f"again. Received: --{flag}={name}, such as a pipe; write "
                "the text to a file first."
            )


def check_output_files(
    output_files: Iterable[str], input_files: Sequence[str]
) -> None:
    """Raises UserError where the records could not be written in the end."""
    inputs = {os.path.realpath(name) for name in input_files}
    for path in output_files:
        if os.path.realpath(path) in inputs:
            raise UserError(
                "The records would replace a file that they are made from; "
                f"write to another. Received: --output_file={path}."
            )
        flag_paths.check_writable(path, "output_file")
        record_notes.check_place(path, input_files)


def _settings(
    max_seq_length,
    max_predictions_per_seq,
    masked_lm_prob,
    short_seq_prob,
    dupe_factor=1,
):
    return InstanceSettings(
        max_seq_length,
        max_predictions_per_seq,
        masked_lm_prob,
        short_seq_prob,
        dupe_factor,
        FLAGS.do_whole_word_mask,
    )


def create_training_instances(
    input_files,
    tokenizer,
    max_seq_length,
    dupe_factor,
    short_seq_prob,
    masked_lm_prob,
    max_predictions_per_seq,
    rng,
):
    """The original's; see `compat.pretraining`."""
    from bert.compat import pretraining

    sizes = (max_seq_length, max_predictions_per_seq)
    settings = _settings(*sizes, masked_lm_prob, short_seq_prob, dupe_factor)
    return pretraining.create_training_instances(
        input_files, tokenizer, settings, rng
    )


def create_instances_from_document(
    all_documents,
    document_index,
    max_seq_length,
    short_seq_prob,
    masked_lm_prob,
    max_predictions_per_seq,
    vocab_words,
    rng,
):
    """The original's; see `compat.pretraining`."""
    from bert.compat import pretraining

    sizes = (max_seq_length, max_predictions_per_seq)
    settings = _settings(*sizes, masked_lm_prob, short_seq_prob)
    return pretraining.create_instances_from_document(
        all_documents, document_index, settings, vocab_words, rng
    )


def create_masked_lm_predictions(
    tokens, masked_lm_prob, max_predictions_per_seq, vocab_words, rng
):
    """The original's; see `compat.pretraining`."""
    from bert.compat import pretraining

    return pretraining.create_masked_lm_predictions(
        tokens,
        masked_lm_prob,
        max_predictions_per_seq,
        vocab_words,
        rng,
        FLAGS.do_whole_word_mask,
    )


def main(_: object = None) -> None:
    """Flags → documents → instances → records."""
    create_pretraining_data(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS, environment.leave_out_keras)
