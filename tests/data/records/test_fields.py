"""What is in the records of each task."""

import pytest

from bert.data.records import fields as record_fields


def test_pretraining_fields_are_the_originals():
    assert {
        field.name: (field.length, field.dtype)
        for field in record_fields.pretraining_fields(
            seq_length=8, max_predictions=2
        )
    } == {
        "input_ids": (8, "int64"),
        "input_mask": (8, "int64"),
        "segment_ids": (8, "int64"),
        "masked_lm_positions": (2, "int64"),
        "masked_lm_ids": (2, "int64"),
        "masked_lm_weights": (2, "float32"),
        "next_sentence_labels": (1, "int64"),
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("classification", (1, "int64")),
        ("regression", (1, "float32")),
        ("multi_label", (5, "int64")),
    ],
)
def test_label_of_a_classification_record_is_of_its_kind(kind, expected):
    found = record_fields.classification_fields(8, kind=kind, num_labels=5)
    (label,) = [field for field in found if field.name == "label_ids"]
    assert (label.length, label.dtype) == expected
    assert not label.per_token


def test_squad_records_have_answers_in_training_only():
    def names(is_training):
        return {
            field.name for field in record_fields.squad_fields(8, is_training)
        }

    answer = {"start_positions", "end_positions", "is_impossible"}
    assert names(True) - names(False) == answer
