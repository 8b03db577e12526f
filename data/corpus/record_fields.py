"""What is in the records of pre-training; imports no TensorFlow."""

from bert.data.records.fields import Field, sequence_fields

TEXT_STARTS = "text_starts"
# A row has room for as many texts as there are of this length.
_SHORT_TEXT = 16


def most_texts(seq_length: int) -> int:
    """Returns how many texts a row of several has at most."""
    return max(2, seq_length // _SHORT_TEXT)


def pretraining_fields(
    seq_length: int, max_predictions: int, pack_sequences: bool = False
) -> tuple[Field, ...]:
    """Returns the fields of create_pretraining_data.py's records.

    Args:
        seq_length: the flag max_seq_length, S.
        max_predictions: the flag max_predictions_per_seq, P.
        pack_sequences: whether a record has several texts (`packed_texts`).
    """
    num_texts = most_texts(seq_length) if pack_sequences else 1
    texts = [Field(TEXT_STARTS, num_texts)] if pack_sequences else []
    return (
        *sequence_fields(seq_length),
        Field("masked_lm_positions", max_predictions),
        Field("masked_lm_ids", max_predictions),
        Field("masked_lm_weights", max_predictions, "float32"),
        Field("next_sentence_labels", num_texts),
        *texts,
    )
