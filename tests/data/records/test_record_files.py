"""Record files: what must hold, what is read, and which record fails."""

import dataclasses
import gzip

import pytest
import tensorflow as tf

from bert.data.records import record_files
from bert.data.records.fields import Field
from bert.errors import UserError
from tests.data.records import protobuf, test_frame_lengths

FIELDS = (
    Field("input_ids", 2, "int64"),
    Field("weights", 1, "float32"),
)


def write(path, values, fields=FIELDS):
    """Writes a record for each value v: ids [v, v], weight v."""
    protobuf.write(
        path, fields, ({f.name: [v] * f.length for f in fields} for v in values)
    )
    return str(path)


def source(*files, limit=100):
    return record_files.RecordSource(
        files, FIELDS, {"input_ids": limit}, {"input_ids": "max_seq_length"}
    )


def write_gzip(path, values):
    write(path, values)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return str(path)


def check(path, **kwargs):
    record_files.check_records(source(path, limit=100), **kwargs)


def test_sound_records_pass(tmp_path):
    check(write(tmp_path / "a", range(100)))


@pytest.mark.parametrize(
    ("values", "place", "received"),
    [
        ([1, 100], 2, 100),
        ([-1], 1, -1),
        ([*range(50), 2**32 + 5], 51, 2**32 + 5),
    ],
)
def test_an_id_out_of_range_names_file_and_record(
    tmp_path, values, place, received
):
    path = write(tmp_path / "a", values)
    with pytest.raises(
        UserError,
        match=f"{path}, record {place}: input_ids must be from 0 to 99. "
        f"Received: {received}",
    ):
        check(path)


def test_another_length_names_the_flag(tmp_path):
    fields = (FIELDS[0]._replace(length=3), FIELDS[1])
    path = write(tmp_path / "a", [1], fields)
    with pytest.raises(
        UserError,
        match="input_ids has 3 values, but --max_seq_length is 2; "
        "pass --max_seq_length=3",
    ):
        check(path)


def test_a_record_of_another_task_lists_what_it_has(tmp_path):
    path = write(tmp_path / "a", [1], FIELDS[:1])
    with pytest.raises(UserError, match="feature weights"):
        check(path)


def test_a_feature_of_another_type_is_an_error(tmp_path):
    fields = (FIELDS[0], FIELDS[1]._replace(dtype="int64"))
    path = write(tmp_path / "a", [1], fields)
    with pytest.raises(UserError, match="weights must be 1 float32 values"):
        check(path)


@pytest.mark.parametrize(
    ("write_file", "spoil", "message"),
    [
        (write, lambda raw: raw[:-3], "record 20: the file is truncated"),
        (
            write,
            lambda raw: raw[:100] + b"x" + raw[101:],
            "record 2: .*corrupt",
        ),
        (
            write,
            lambda raw: b"plain text, no records at all",
            "record 1: .*no TFRec",
        ),
        (write, lambda raw: b"", "Expected records. Received: 1 files"),
        (
            write_gzip,
            lambda raw: raw[:-12],
            r"a, record \d+: .*truncated, corrupt",
        ),
        (
            write_gzip,
            lambda raw: raw[:60] + b"xxxx" + raw[64:],
            r"a, record \d+: .*truncated, corrupt",
        ),
        (
            write_gzip,
            lambda raw: raw[:10],
            "Expected records. Received: 1 files without",
        ),
    ],
)
def test_a_damaged_file_names_the_record(tmp_path, write_file, spoil, message):
    path = tmp_path / "a"
    write_file(path, range(20))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        check(str(path))


@pytest.mark.parametrize("compression", ["", "GZIP"])
@pytest.mark.parametrize("power", [36, 62])
def test_a_length_of_many_gigabytes_names_the_record(
    tmp_path, compression, power
):
    path = tmp_path / "a"
    write(path, range(20))
    long = test_frame_lengths.frame(2**power, b"few")
    data = path.read_bytes() + long
    path.write_bytes(gzip.compress(data) if compression else data)
    with pytest.raises(UserError, match="record 21: the file is truncated"):
        check(str(path))
    check(str(path), limit=10)
    with pytest.raises(tf.errors.InvalidArgumentError, match="record 21"):
        list(record_files.serialized([str(path)]))


def test_lengths_are_looked_at_once_until_the_file_changes(
    tmp_path, monkeypatch
):
    path = write(tmp_path / "a", range(3))
    looked = []
    monkeypatch.setattr(
        record_files.frame_lengths,
        "first_impossible",
        lambda *given: looked.append(given),
    )
    for _ in range(2):
        assert len(list(record_files.serialized([path]))) == 3
    assert len(looked) == 1
    write(tmp_path / "a", range(4))
    assert len(list(record_files.serialized([path, path]))) == 8
    assert len(looked) == 2


def test_bytes_that_are_no_example_are_an_error(tmp_path):
    path = str(tmp_path / "a")
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(b"\xff\xff")
    with pytest.raises(
        UserError, match=r"record 1: expected a tf\.train\.Exam"
    ):
        check(path)


def test_records_are_counted(tmp_path):
    files = [write(tmp_path / "a", range(5)), write(tmp_path / "b", range(3))]
    assert record_files.num_records(source(*files)) == 8


def test_a_record_as_long_as_gzips_mark_is_a_record(tmp_path):
    path = tmp_path / "a"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"x" * 0x088B1F)
    assert path.read_bytes()[:3] == b"\x1f\x8b\x08"
    assert record_files.compressions([str(path)]) == [""]


PARSED = record_files.RecordSource(
    ["a"],
    (Field("ids", 3), Field("weights", 2, "float32"), Field("label", 1)),
    {},
)
VALUES = {"ids": [7, 0, 2**31 - 1], "weights": [0.5, 1.0], "label": [1]}


def test_parse_gives_back_what_was_written():
    other = {"ids": [1, 2, 3], "weights": [0.0, 0.25], "label": [0]}

    batch = record_files.parse(
        PARSED,
        [protobuf.encode(PARSED.fields, row) for row in (VALUES, other)],
    )

    assert list(batch) == ["ids", "weights", "label"]
    assert batch["ids"].numpy().tolist() == [[7, 0, 2**31 - 1], [1, 2, 3]]
    assert batch["weights"].numpy().tolist() == [[0.5, 1.0], [0.0, 0.25]]
    assert batch["label"].numpy().tolist() == [[1], [0]]


def test_parse_casts_int64_to_int32_and_keeps_floats():
    batch = record_files.parse(PARSED, [protobuf.encode(PARSED.fields, VALUES)])

    assert {name: t.dtype for name, t in batch.items()} == {
        "ids": tf.int32,
        "weights": tf.float32,
        "label": tf.int32,
    }


def test_parse_refuses_a_record_of_another_length():
    record = protobuf.encode(PARSED.fields, VALUES)
    longer = dataclasses.replace(PARSED, fields=(Field("ids", 4),))

    with pytest.raises(tf.errors.InvalidArgumentError):
        record_files.parse(longer, [record])


def test_records_whose_lengths_are_known_are_not_counted():
    known = dataclasses.replace(PARSED, files=["missing"], lengths=[3, 1])

    assert record_files.num_records(known) == 2
