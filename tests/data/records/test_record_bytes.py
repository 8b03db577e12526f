import numpy as np
import pytest

from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import record_bytes
from bert.data.records.fields import Field
from tests.data.records import protobuf


def written(path, fields, values):
    """What TensorFlow writes, record by record."""
    count = len(next(iter(values.values())))
    rows = ({k: v[row] for k, v in values.items()} for row in range(count))
    protobuf.write(path, fields, rows)
    return path.read_bytes()


def random_values(fields, rows, limit=30_522):
    rng = np.random.default_rng(1)
    return {
        field.name: rng.random((rows, field.length), np.float32)
        if field.dtype == "float32"
        else rng.integers(0, limit, (rows, field.length))
        * (rng.random((rows, field.length)) < 0.5)
        for field in fields
    }


@pytest.mark.parametrize(("length", "rows"), [(5, 1), (16, 3), (128, 10)])
def test_frames_are_what_tensorflow_writes(tmp_path, length, rows):
    fields = pretraining_fields(length, min(length, 20))
    values = random_values(fields, rows)

    frames = record_bytes.frames(fields, values)

    assert len(frames) == rows
    assert b"".join(frames) == written(tmp_path / "a", fields, values)


@pytest.mark.parametrize("limit", [1, 128, 129, 2**14, 2**21, 2**32, 2**62])
def test_numbers_of_any_size(tmp_path, limit):
    fields = [Field("n", 4)]
    values = {"n": np.array([[0, 1, limit - 1, limit], [limit // 2, 0, 3, 7]])}

    frames = record_bytes.frames(fields, values)

    assert b"".join(frames) == written(tmp_path / "a", fields, values)


def test_records_longer_than_16_bits_can_say(tmp_path):
    fields = [Field("n", 40_000), Field("weights", 3, "float32")]
    values = random_values(fields, 2)

    frames = record_bytes.frames(fields, values)

    assert b"".join(frames) == written(tmp_path / "a", fields, values)


def test_wrong_length_is_an_error():
    with pytest.raises(ValueError, match=r"n must hold 3 numbers. Received: 2"):
        record_bytes.frames([Field("n", 3)], {"n": np.zeros([1, 2], int)})


def test_negative_number_is_an_error():
    with pytest.raises(ValueError, match="n must hold no negative numbers"):
        record_bytes.frames([Field("n", 1)], {"n": np.array([[0], [-1]])})


def test_head_of_a_frame_is_known():
    frame = record_bytes.frames([Field("n", 1)], {"n": np.array([[5]])})[0]

    assert record_bytes.is_frame_head(frame[:12])
    assert not record_bytes.is_frame_head(frame[1:13])
    assert not record_bytes.is_frame_head(frame[:11])


def test_values_are_read_back():
    fields = pretraining_fields(16, 3)
    values = random_values(fields, 4, 2**33)

    for row, frame in enumerate(record_bytes.frames(fields, values)):
        expected = {k: v[row].tolist() for k, v in values.items()}
        found = record_bytes.values(fields, record_bytes.record_of(frame))
        assert list(found.items()) == list(expected.items())


def test_some_of_the_values_are_read_back():
    fields = [Field("a", 2), Field("b", 1, "float32")]
    values = {"a": np.array([[1, 2]]), "b": np.array([[0.5]], np.float32)}
    (frame,) = record_bytes.frames(fields, values)
    record = record_bytes.record_of(frame)
    assert record_bytes.values(fields[1:], record) == {"b": [0.5]}
