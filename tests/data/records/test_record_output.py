"""Files for records: whole or not at all, plain or compressed."""

import errno
import gzip
import os

import pytest

from bert.data.records import record_output


def test_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.tfrecord"

    with record_output.frame_writer(str(path)) as file:
        file.write(b"one")
        assert not path.exists()
        file.write(b"two")

    assert os.listdir(tmp_path) == ["a.tfrecord"]
    assert path.read_bytes() == b"onetwo"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_interrupted_writer_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")

    def write_and_fail():
        with record_output.frame_writer(str(path)) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        write_and_fail()

    assert os.listdir(tmp_path) == ["a.tfrecord"]
    assert path.read_bytes() == b"old"


def test_writer_replaces_an_old_file(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")

    with record_output.frame_writer(str(path)) as file:
        file.write(b"new")

    assert path.read_bytes() == b"new"


def test_writer_follows_a_symbolic_link(tmp_path):
    (tmp_path / "big_disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "big_disk" / "a.tfrecord")

    with record_output.frame_writer(str(link)) as file:
        file.write(b"new")

    assert link.is_symlink()
    assert (tmp_path / "big_disk/a.tfrecord").read_bytes() == b"new"


def test_compressed_files_are_equal_for_equal_records(tmp_path):
    for name in ("a", "b"):
        with record_output.frame_writer(str(tmp_path / name), "gzip") as file:
            file.write(b"records")

    data = (tmp_path / "a").read_bytes()
    assert data == (tmp_path / "b").read_bytes()
    assert gzip.decompress(data) == b"records"


def test_full_disk_names_the_file(tmp_path):
    path = str(tmp_path / "a")

    def write_and_fail():
        with record_output.frame_writer(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        write_and_fail()
    assert caught.value.filename == path
