import os

import pytest
import tensorflow as tf

from bert.data.records import record_io
from bert.errors import UserError

FIELDS = (
    record_io.Field("ids", 3),
    record_io.Field("weights", 2, "float32"),
    record_io.Field("label", 1),
)
VALUES = {"ids": [7, 0, 2**31 - 1], "weights": [0.5, 1.0], "label": [1]}


def read(path):
    return [r.numpy() for r in tf.data.TFRecordDataset(str(path))]


def test_encode_writes_an_example_with_the_tables_features():
    example = tf.train.Example.FromString(record_io.encode(FIELDS, VALUES))

    features = example.features.feature
    assert set(features) == {"ids", "weights", "label"}
    assert features["ids"].int64_list.value == [7, 0, 2**31 - 1]
    assert features["weights"].float_list.value == [0.5, 1.0]
    assert features["label"].int64_list.value == [1]


def test_encode_is_repeatable_to_the_byte():
    other_order = dict(reversed(VALUES.items()))

    assert record_io.encode(FIELDS, VALUES) == record_io.encode(
        FIELDS[::-1], other_order
    )


def test_encode_refuses_a_wrong_number_of_values():
    with pytest.raises(
        ValueError, match=r"ids must hold 3 numbers. Received: 2"
    ):
        record_io.encode(FIELDS, {**VALUES, "ids": [1, 2]})


def test_decode_gives_back_what_encode_wrote():
    decoded = record_io.decode(FIELDS, record_io.encode(FIELDS, VALUES))

    assert decoded == VALUES
    assert list(decoded) == ["ids", "weights", "label"]


def test_parse_gives_back_what_encode_wrote():
    other = {"ids": [1, 2, 3], "weights": [0.0, 0.25], "label": [0]}

    batch = record_io.parse(
        FIELDS,
        [record_io.encode(FIELDS, VALUES), record_io.encode(FIELDS, other)],
    )

    assert list(batch) == ["ids", "weights", "label"]
    assert batch["ids"].numpy().tolist() == [[7, 0, 2**31 - 1], [1, 2, 3]]
    assert batch["weights"].numpy().tolist() == [[0.5, 1.0], [0.0, 0.25]]
    assert batch["label"].numpy().tolist() == [[1], [0]]


def test_parse_casts_int64_to_int32_and_keeps_floats():
    batch = record_io.parse(FIELDS, [record_io.encode(FIELDS, VALUES)])

    assert {name: t.dtype for name, t in batch.items()} == {
        "ids": tf.int32,
        "weights": tf.float32,
        "label": tf.int32,
    }


def test_parse_refuses_a_record_of_another_length():
    serialized = record_io.encode(FIELDS, VALUES)

    with pytest.raises(tf.errors.InvalidArgumentError):
        record_io.parse((record_io.Field("ids", 4),), [serialized])


def test_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.tfrecord"

    with record_io.record_writer(str(path)) as writer:
        writer.write(b"one")
        assert not path.exists()
        writer.write(b"two")

    assert os.listdir(tmp_path) == ["a.tfrecord"]
    assert read(path) == [b"one", b"two"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_interrupted_writer_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")

    def write_and_fail():
        with record_io.record_writer(str(path)) as writer:
            writer.write(b"new")
            raise error

    with pytest.raises(error):
        write_and_fail()

    assert os.listdir(tmp_path) == ["a.tfrecord"]
    assert path.read_bytes() == b"old"


def test_writer_replaces_an_old_file(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")

    with record_io.record_writer(str(path)) as writer:
        writer.write(b"new")

    assert read(path) == [b"new"]


def test_writer_follows_a_symbolic_link(tmp_path):
    (tmp_path / "big_disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "big_disk" / "a.tfrecord")

    with record_io.record_writer(str(link)) as writer:
        writer.write(b"new")

    assert link.is_symlink()
    assert read(tmp_path / "big_disk" / "a.tfrecord") == [b"new"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is a folder; add the name of a file"),
        ("missing/a.tfrecord", "in a folder that does not exist; make .*miss"),
        ("pipe", "is no plain file; name another"),
    ],
)
def test_path_that_cannot_be_written_is_an_error(tmp_path, name, message):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UserError, match=f"Received: --out=.*{message}"):
        record_io.check_writable(str(tmp_path / name), "out")


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write all"
)
def test_folder_without_permission_is_an_error(tmp_path):
    tmp_path.chmod(0o500)

    with pytest.raises(UserError, match="cannot be written; check the perm"):
        record_io.check_writable(str(tmp_path / "a.tfrecord"), "out")


def test_new_and_old_files_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "old").touch()
    monkeypatch.chdir(tmp_path)

    record_io.check_writable(str(tmp_path / "new"), "out")
    record_io.check_writable(str(tmp_path / "old"), "out")
    record_io.check_writable("in_this_folder", "out")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("classification", (1, "int64")),
        ("regression", (1, "float32")),
        ("multi_label", (5, "int64")),
    ],
)
def test_label_of_a_classification_record_is_of_its_kind(kind, expected):
    fields = record_io.classification_fields(8, kind=kind, num_labels=5)
    (label,) = [field for field in fields if field.name == "label_ids"]
    assert (label.length, label.dtype) == expected
    assert not label.per_token


def test_squad_records_have_answers_in_training_only():
    def names(is_training):
        return {field.name for field in record_io.squad_fields(8, is_training)}

    answer = {"start_positions", "end_positions", "is_impossible"}
    assert names(True) - names(False) == answer
