from bert.data.corpus.record_fields import pretraining_fields


def test_pretraining_fields_are_the_originals():
    assert {
        field.name: (field.length, field.dtype)
        for field in pretraining_fields(seq_length=8, max_predictions=2)
    } == {
        "input_ids": (8, "int64"),
        "input_mask": (8, "int64"),
        "segment_ids": (8, "int64"),
        "masked_lm_positions": (2, "int64"),
        "masked_lm_ids": (2, "int64"),
        "masked_lm_weights": (2, "float32"),
        "next_sentence_labels": (1, "int64"),
    }
