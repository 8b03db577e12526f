"""Records by TensorFlow's own code, to compare ours with."""

from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf

from bert.data.records.fields import Field


def encode(
    fields: Sequence[Field], values: Mapping[str, Sequence[float]]
) -> bytes:
    """Returns a serialized tf.train.Example."""
    example = tf.train.Example()
    features = example.features.feature
    for field in fields:
        if field.dtype == "float32":
            features[field.name].float_list.value.extend(values[field.name])
        else:
            features[field.name].int64_list.value.extend(values[field.name])
    return example.SerializeToString(deterministic=True)


def write(path, fields, rows: Iterable[Mapping[str, Sequence[float]]]) -> None:
    """Writes a file of records."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            writer.write(encode(fields, row))


def read(path, compression: str = "") -> list[bytes]:
    """Returns the records of a file."""
    data = tf.data.TFRecordDataset(str(path), compression)
    return list(data.as_numpy_iterator())
