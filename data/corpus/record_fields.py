"""What is in the records of pre-training; imports no TensorFlow."""

from bert.data.records.fields import Field, sequence_fields


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
