"""What is in a record."""

from bert.data.records.fields import Field, sequence_fields


def test_what_an_encoder_takes_has_a_number_for_each_position():
    assert sequence_fields(8) == (
        Field("input_ids", 8, per_token=True),
        Field("input_mask", 8, per_token=True),
        Field("segment_ids", 8, per_token=True),
    )


def test_a_field_of_several_sequences_has_an_axis_for_them():
    ids, *_ = sequence_fields(8, sequences=3)
    assert (ids.length, ids.shape) == (24, [3, 8])
    assert Field("label_ids", 5).shape == [5]
