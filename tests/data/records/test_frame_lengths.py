import gzip
import os

import numpy as np
import pytest

from bert.data.records import frame_lengths, record_bytes


def frame(length, data=None):
    """A frame whose head says `length`, with the checksum of that."""
    head = np.array([length], "<u8").tobytes()
    checksum = record_bytes._checksums(
        np.frombuffer(head, np.uint8), np.array([8])
    )
    return head + checksum.tobytes() + (data or b"x" * length) + b"\0" * 4


def find(path, frames, compression="", **kwargs):
    data = b"".join(frames)
    path.write_bytes(gzip.compress(data) if compression else data)
    return frame_lengths.first_impossible(str(path), compression, **kwargs)


@pytest.mark.parametrize("compression", ["", "GZIP"])
@pytest.mark.parametrize("power", [25, 36, 48, 62, 64])
def test_a_length_that_no_record_has_is_found(tmp_path, compression, power):
    frames = [frame(9), frame(8), frame(2**power - 1, b"few")]
    assert find(tmp_path / "a", frames, compression) == 3
    assert find(tmp_path / "b", frames, compression, limit=2) is None


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_sound_files_pass(tmp_path, compression):
    assert find(tmp_path / "a", [frame(9)] * 100, compression) is None
    assert find(tmp_path / "a", [], compression) is None
    assert find(tmp_path / "a", [b"short"], compression) is None


def test_a_record_longer_than_the_rest_of_its_file_is_found(tmp_path):
    assert find(tmp_path / "a", [frame(8), frame(9)[:-1]]) == 2


def test_what_cannot_be_read_is_left_to_tensorflow(tmp_path):
    for kind in ("", "GZIP"):
        for name in ("missing", "."):
            path = str(tmp_path / name)
            assert frame_lengths.first_impossible(path, kind) is None
    damaged = tmp_path / "a"
    damaged.write_bytes(gzip.compress(frame(999, os.urandom(999)))[:500])
    assert frame_lengths.first_impossible(str(damaged), "GZIP") is None
    assert frame_lengths.first_impossible("gs://b/a", "") is None
