"""Features → a file of records, and what is known of it."""

import hashlib
import os

import numpy as np
import pytest

from bert.data.records import length_sorting, record_files, record_writer
from bert.data.records.fields import Field, sequence_fields
from tests.data.records import protobuf

FIELDS = (
    Field("input_ids", 4, per_token=True),
    Field("input_mask", 4, per_token=True),
    Field("unique_ids", 1),
    Field("score", 1, "float32"),
)


def row(length, ids=7, unique=10**9, score=0.1):
    return {
        "input_ids": [ids] * length + [0] * (4 - length),
        "input_mask": [1] * length + [0] * (4 - length),
        "unique_ids": [unique],
        "score": [score],
        "not_a_field": ["x"],
    }


def test_file_is_what_tensorflow_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(record_writer, "_BATCH_RECORDS", 2)
    rows = [
        row(1),
        row(4, ids=2**31 - 1, score=-1e-9),
        row(2, unique=2**40, score=1 / 3),
        row(0),
        row(3, score=3e38),
    ]

    record_writer.write(str(tmp_path / "ours"), FIELDS, iter(rows))

    protobuf.write(tmp_path / "theirs", FIELDS, rows)
    theirs = (tmp_path / "theirs").read_bytes()
    assert (tmp_path / "ours").read_bytes() == theirs
    assert len(protobuf.read(tmp_path / "ours")) == 5


def test_what_is_known_of_the_file_is_so(tmp_path):
    rows = [row(3), row(1), row(4)]

    written = record_writer.write(str(tmp_path / "a"), FIELDS, rows)

    data = (tmp_path / "a").read_bytes()
    assert written.size == len(data)
    assert written.sha256 == hashlib.sha256(data).hexdigest()
    assert written.lengths == [3, 1, 4]


def test_lengths_are_those_of_the_pipeline(tmp_path):
    masks = [[0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 2], [1, 1, 0, 0]]
    rows = [{**row(4), "input_mask": mask} for mask in masks]

    written = record_writer.write(str(tmp_path / "a"), FIELDS, rows)

    expected = length_sorting.lengths(np.array(masks)).numpy().tolist()
    assert written.lengths == expected == [2, 0, 4, 2]


@pytest.mark.parametrize("name", ["input_ids", "unique_ids"])
def test_a_wrong_number_of_values_is_an_error_and_leaves_no_file(
    tmp_path, name
):
    wrong = {**row(1), name: [1, 2]}

    with pytest.raises(
        ValueError, match=rf"{name} must hold \d numbers. Received: 2"
    ):
        record_writer.write(str(tmp_path / "a"), FIELDS, [row(1), wrong])

    assert os.listdir(tmp_path) == []


def test_no_examples_are_an_empty_file(tmp_path):
    written = record_writer.write(str(tmp_path / "a"), FIELDS, [])

    assert written[::2] == (0, [])
    assert (tmp_path / "a").read_bytes() == b""


def test_several_sequences_are_read_as_they_were_written(tmp_path):
    fields = sequence_fields(3, sequences=2)
    masks = [[1, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0]]
    rows = [dict.fromkeys(("input_ids", "segment_ids"), [1] * 6)] * 2
    rows = [
        {**row, "input_mask": mask}
        for row, mask in zip(rows, masks, strict=True)
    ]

    written = record_writer.write(str(tmp_path / "a"), fields, rows)

    source = record_files.RecordSource([str(tmp_path / "a")], fields, {})
    (batch,) = record_files.parsed(
        record_files.serialized(source.files).batch(2), source
    )
    assert batch["input_mask"].numpy().reshape(2, 6).tolist() == masks
    assert batch["input_ids"].shape == (2, 2, 3)
    assert written.lengths == [2, 3]
