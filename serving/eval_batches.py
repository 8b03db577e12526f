"""Record files → the batches that exported models are measured with."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from bert.data.records import input_pipeline, record_files
from bert.data.records.record_files import RecordSource
from bert.errors import UserError
from bert.tasks.inference import Inference
from bert.tasks.spec import INPUTS

_BATCH_SIZE = 32


def read(
    files: Sequence[str], inference: Inference
) -> list[dict[str, np.ndarray]]:
    """Returns all rows of record files, in batches of like length.

    Args:
        files: the records.
        inference: the task's, of the model that they are for.

    Returns:
        Dicts of arrays [B, ...] by feature, but of `spec.INPUTS` [n, S], the
        sequences of all rows; padding that all have is cut off.

    Raises:
        UserError: a record is not what the model takes.
    """
    config = inference.config
    length = _length_of_first(files[0]) or inference.task.max_seq_length
    fields = inference.fields(length)
    longest = max(field.shape[-1] for field in fields if field.per_token)
    if longest > config.max_position_embeddings:
        raise UserError(
            f"{files[0]}: expected records of at most "
            f"{config.max_position_embeddings} tokens, the model's longest "
            f"sequence. Received: {longest}."
        )
    limits = {
        "input_ids": config.vocab_size,
        "input_mask": 2,
        "segment_ids": config.type_vocab_size,
    }
    if inference.num_label_ids is not None:
        limits["label_ids"] = inference.num_label_ids
    source = RecordSource(files, fields, limits)
    record_files.check_records(source, limit=None)
    batches = input_pipeline.predict_batches(source, _BATCH_SIZE)
    return [
        # A model takes one sequence a row.
        {
            name: values.reshape(-1, values.shape[-1])
            if name in INPUTS
            else values
            for name, values in batch.items()
        }
        for batch in batches.as_numpy_iterator()
    ]


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
