"""A task's examples → a file of records → what is read back.

TensorFlow is imported where it is used.
"""

import atexit
import collections
import dataclasses
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import logging

from bert.cli.config import TrainingConfig
from bert.data.records import record_reuse
from bert.data.records.fields import Field
from bert.data.text.tokenization import FullTokenizer
from bert.files.file_bytes import gfile

if TYPE_CHECKING:
    import numpy as np

    from bert.data.records.record_files import RecordSource
    from bert.modeling import BertConfig
    from bert.training.batches import Unreadable
    from bert.training.feeds import Feed, MakeObjective

_details = logging.get_absl_logger().getChild("details")

Features = Mapping[str, "Sequence[float] | np.ndarray"]

# Of the hash that names the folder of shared records.
_KEY_CHARS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordSet:
    """Examples, and how they become a file of records.

    Attributes:
        file: the file's name.
        fields: what is in a record.
        features: makes the features of all records, in order.
        inputs: gives what they are made from, example by example; see
            `record_reuse.made_from`.
        limits: what integers of the task's own features are below, by name.
        settings: what else the features depend on; its `repr` counts.
        num_logged: features that are made even where the file is there
            already, since the first ones are logged when they are made.
    """

    file: str
    fields: Sequence[Field]
    features: Callable[[], Iterable[Features]]
    inputs: Callable[[], Iterable[object]]
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    settings: object = None
    num_logged: int = 0


class RecordFile(NamedTuple):
    """A file of records.

    Attributes:
        path: where it is.
        lengths: of each record, without padding.
    """

    path: str
    lengths: Sequence[int]


def write(
    records: RecordSet,
    output_dir: str,
    tokenizer: FullTokenizer,
    records_dir: str | None = None,
) -> RecordFile:
    """Writes a set's records into output_dir, or into a folder of many runs.

    A file that already has these records is left as it is. Every worker needs
    the file, and only the chief writes to output_dir; the others write to a
    temporary folder of their own, unless they find it in output_dir.

    Args:
        records: the set.
        output_dir: exists.
        tokenizer: that of the features.
        records_dir: has a folder for all that the same records are made from,
            so that runs share them.
    """
    from bert.data.records import record_writer
    from bert.training import strategy

    made_from = record_reuse.made_from(
        tokenizer, (records.fields, records.settings), records.inputs()
    )
    folder = output_dir
    if records_dir:
        folder = shared_folder(records_dir, made_from)
    path = os.path.join(folder, records.file)
    features = records.features()
    written = record_reuse.current(path, made_from)
    if written:
        collections.deque(
            itertools.islice(features, records.num_logged), maxlen=0
        )
        logging.info("The records in %s are used again", path)
        return RecordFile(path, written.lengths)
    is_chief = strategy.is_chief()
    if not is_chief:
        folder = tempfile.mkdtemp(prefix="bert-worker-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, records.file)
    elif records_dir:
        gfile().makedirs(folder)
    written = record_writer.write(path, records.fields, features)
    if is_chief:
        record_reuse.keep(path, made_from, written)
    _details.info("Wrote records to %s", path)
    return RecordFile(path, written.lengths)


def shared_folder(records_dir: str, made_from: str) -> str:
    """Returns the folder for what runs share.

    Args:
        records_dir: of all that they share.
        made_from: a hash of what it is made from.
    """
    return os.path.join(records_dir, made_from[:_KEY_CHARS])


def source(
    bert_config: "BertConfig",
    files: Sequence[str],
    fields: Sequence[Field],
    limits: Mapping[str, int],
    flags: Mapping[str, str] | None = None,
    lengths: Sequence[int] | None = None,
) -> "RecordSource":
    """Returns records and what must hold for them.

    Args:
        bert_config: the model's sizes, which bound the ids.
        files: the records' paths, in reading order.
        fields: what is in a record.
        limits: of the task's own features; see `RecordSource`.
        flags: see `RecordSource`.
        lengths: see `RecordSource`.
    """
    from bert.data.records.record_files import RecordSource

    return RecordSource(
        files=files,
        fields=fields,
        limits={
            "input_ids": bert_config.vocab_size,
            "segment_ids": bert_config.type_vocab_size,
            **limits,
        },
        flags=flags or {},
        lengths=lengths,
    )


def training_feed(
    source: "RecordSource",
    config: TrainingConfig,
    cut: bool = False,
    group: bool = False,
    make_objective: "MakeObjective | None" = None,
) -> "Feed":
    """Returns what a training takes its batches from.

    Args:
        source: the records.
        config: the flags of training.
        cut: see `input_pipeline.train_batches`.
        group: see there.
        make_objective: see `Feed`.
    """
    from bert.data.records import input_pipeline
    from bert.training.feeds import Feed

    return Feed(
        lambda state, context: input_pipeline.train_batches(
            source,
            config.train_batch_size,
            seed=state.seed,
            shuffle_buffer_size=config.shuffle_buffer_size,
            examples_seen=state.examples_seen,
            context=context,
            cut=cut,
            group=group,
        ),
        unreadable(source),
        make_objective,
    )


def unreadable(source: "RecordSource") -> "Unreadable":
    """Returns what the training loop says of a record it cannot read."""
    from bert.data.records import record_files
    from bert.training.batches import Unreadable

    return Unreadable(
        record_files.READ_ERRORS,
        functools.partial(record_files.explain, source),
    )
