"""Record files → the batches that exported models are measured with."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from bert.data.records import fields as record_fields
from bert.data.records import input_pipeline, record_files
from bert.data.records.record_files import RecordSource
from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.modeling.config import BertConfig

_BATCH_SIZE = 32


def read(
    files: Sequence[str], task: Task, config: BertConfig, num_labels: int
) -> list[dict[str, np.ndarray]]:
    """Returns all rows of record files, in batches of like length.

    Args:
        files: the records.
        task: what they are for, and with it whether they have labels.
        config: the model's sizes, which bound the ids.
        num_labels: the model's labels.

    Returns:
        Dicts of arrays [B, ...] by feature; padding that all rows of a batch
        have is cut off.

    Raises:
        UserError: a record is not what the model takes.
    """
    length = _length_of_first(files[0]) or task.max_seq_length
    if length > config.max_position_embeddings:
        raise UserError(
            f"{files[0]}: expected records of at most "
            f"{config.max_position_embeddings} tokens, the model's longest "
            f"sequence. Received: {length}."
        )
    limits = {
        "input_ids": config.vocab_size,
        "input_mask": 2,
        "segment_ids": config.type_vocab_size,
    }
    if task.task == "ner" or task.kind == "classification":
        limits["label_ids"] = num_labels
    elif task.kind == "multi_label":
        limits["label_ids"] = 2
    source = RecordSource(files, _fields(task, length, num_labels), limits)
    record_files.check_records(source, limit=None)
    batches = input_pipeline.predict_batches(source, _BATCH_SIZE)
    return list(batches.as_numpy_iterator())


def _fields(
    task: Task, length: int, num_labels: int
) -> Sequence[record_fields.Field]:
    """Returns what records of a task must have; those without labels: ids."""
    if task.task == "classification":
        return record_fields.classification_fields(
            length, kind=task.kind, num_labels=num_labels
        )
    fields = record_fields.tagging_fields(length)
    if task.task == "ner":
        return fields
    return [field for field in fields if not field.name.startswith("label_")]


def _length_of_first(path: str) -> int | None:
    """Returns how many ids the first record has; None where nothing tells."""
    try:
        for record in record_files.serialized([path]).take(1):
            example = tf.train.Example.FromString(record.numpy())
            feature = example.features.feature["input_ids"]
            return len(feature.int64_list.value) or None
    except (tf.errors.OpError, DecodeError):  # the records' check names it
        return None
    return None
