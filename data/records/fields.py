"""What is in the records of each task; imports no TensorFlow.

A table is a tuple of `Field`s: `record_writer` writes a file by it, and
`record_files` checks and parses one by it.
"""

from typing import Literal, NamedTuple

from bert.tasks.spec import INPUTS


class Field(NamedTuple):
    """One feature of a record; all have a fixed length.

    Attributes:
        name: its key in the tf.train.Example.
        length: how many numbers it holds.
        dtype: what they are in the file.
        per_token: whether it has a number for each position of the sequence,
            so that padding can be cut off.
    """

    name: str
    length: int
    dtype: Literal["int64", "float32"] = "int64"
    per_token: bool = False


def sequence_fields(seq_length: int) -> tuple[Field, ...]:
    """Returns the fields that all models read.

    Args:
        seq_length: the flag max_seq_length, S.
    """
    return tuple(Field(name, seq_length, per_token=True) for name in INPUTS)


def pretraining_fields(
    seq_length: int, max_predictions: int
) -> tuple[Field, ...]:
    """Returns the fields of create_pretraining_data.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        max_predictions: the flag max_predictions_per_seq, P.
    """
    return (
        *sequence_fields(seq_length),
        Field("masked_lm_positions", max_predictions),
        Field("masked_lm_ids", max_predictions),
        Field("masked_lm_weights", max_predictions, "float32"),
        Field("next_sentence_labels", 1),
    )


def classification_fields(
    seq_length: int, *, kind: str = "classification", num_labels: int = 1
) -> tuple[Field, ...]:
    """Returns the fields of run_classifier.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        kind: "classification": label_ids is the label's number; "regression":
            a float; "multi_label": a 0 or 1 for each label.
        num_labels: L; only multi_label records depend on it.
    """
    label = {
        "classification": Field("label_ids", 1),
        "regression": Field("label_ids", 1, "float32"),
        "multi_label": Field("label_ids", num_labels),
    }[kind]
    return (
        *sequence_fields(seq_length),
        label,
        Field("is_real_example", 1),
    )


def squad_fields(seq_length: int, is_training: bool) -> tuple[Field, ...]:
    """Returns the fields of run_squad.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        is_training: whether the answers are in them.
    """
    answer = ("start_positions", "end_positions", "is_impossible")
    return (
        Field("unique_ids", 1),
        *sequence_fields(seq_length),
        *(Field(name, 1) for name in answer if is_training),
    )


def tagging_fields(seq_length: int) -> tuple[Field, ...]:
    """Returns the fields of run_ner.py's records.

    Args:
        seq_length: the flag max_seq_length, S.

    label_mask is 1 where a label counts: at the first piece of a word, in the
    one window that is to predict it.
    """
    return (
        *sequence_fields(seq_length),
        Field("label_ids", seq_length, per_token=True),
        Field("label_mask", seq_length, per_token=True),
    )
