import struct

import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event

from bert.training import curves
from bert.training.curves import Curve


def _event_file(path, points, tag="loss"):
    """Writes points {step: value} as TensorFlow 1 does."""
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        for step, value in points.items():
            event = Event(step=step)
            event.summary.value.add(tag=tag, simple_value=value)
            record = event.SerializeToString()
            length = struct.pack("<Q", len(record))
            file.write(length + bytes(4) + record + bytes(4))
    return path


def _name(begun):
    return f"events.out.tfevents.{begun}.host.1.0.v2"


def test_scalars_come_back_by_tag(tmp_path):
    for folder in ("", "eval"):
        writer = tf.summary.create_file_writer(str(tmp_path / folder))
        with writer.as_default():
            tf.summary.scalar("loss", 0.1, step=1)
            tf.summary.scalar("rate", 2e-5, step=1)
            tf.summary.scalar("loss", float("nan"), step=2)
            tf.summary.text("note", "no scalar", step=1)
            tf.summary.histogram("numbers", [1.0, 2.0], step=1)
        writer.close()
    found = curves.read(str(tmp_path))
    assert list(found) == ["eval/loss", "eval/rate", "loss", "rate"]
    assert found["rate"] == Curve([1], [2e-5])
    assert found["eval/loss"].steps == [1, 2]
    assert str(found["loss"].values) == "[0.1, nan]"


def test_a_run_that_went_on_is_one_curve_and_the_later_point_counts(tmp_path):
    # By the time in the name: the sizes of numbers, not of texts.
    _event_file(tmp_path / _name(1000), {200: 2.5, 300: 2.25})
    _event_file(tmp_path / _name(999), {100: 4.0, 200: 3.0})
    found = curves.read(str(tmp_path))
    assert found == {"loss": Curve([100, 200, 300], [4.0, 2.5, 2.25])}


def test_a_file_is_read_as_far_as_it_is_whole(tmp_path):
    path = _event_file(tmp_path / _name(1), {1: 4.0, 2: 3.0})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        steps = curves.read(str(tmp_path)).get("loss", Curve([], [])).steps
        assert steps == ([1] if length >= len(whole) // 2 else [])
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 99)
    assert curves.read(str(tmp_path))["loss"].steps == [1]


def test_a_run_may_be_remote():
    folder = "ram://curves/run"
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default():
        tf.summary.scalar("loss", 0.5, step=1)
    writer.close()
    assert curves.read(folder) == {"loss": Curve([1], [0.5])}
    assert curves.read("ram://curves/none") == {}


def test_what_is_no_event_is_left_out(tmp_path):
    record = b"\x0f no event"
    length = struct.pack("<Q", len(record))
    (tmp_path / _name(1)).write_bytes(length + bytes(4) + record + bytes(4))
    assert curves.read(str(tmp_path)) == {}


def test_a_folder_may_have_any_name_and_no_event_files(tmp_path):
    odd = tmp_path / "run [1]*"
    odd.mkdir()
    assert curves.read(str(odd)) == {}
    _event_file(odd / _name(1), {1: 4.0})
    assert curves.read(str(odd)) == {"loss": Curve([1], [4.0])}
