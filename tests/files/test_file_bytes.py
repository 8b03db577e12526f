"""Local files, and the same files through TensorFlow (file://)."""

import os

import pytest

from bert.files import file_bytes


@pytest.fixture(params=["", "file://"])
def folder(request, tmp_path):
    """A folder by its path, and by a name with a scheme."""
    return f"{request.param}{tmp_path}"


def test_a_file_is_written_read_and_removed(folder):
    path = f"{folder}/a"
    assert not file_bytes.exists(path)
    with file_bytes.writer(path) as file:
        file.write(b"one\n")
        file.write(b"two")
    assert file_bytes.exists(path)
    assert file_bytes.read(path) == b"one\ntwo"
    assert file_bytes.size_and_time(path)[0] == 7
    file_bytes.remove(path)
    assert not file_bytes.exists(path)


def test_size_and_time_are_those_of_the_file(folder, tmp_path):
    (tmp_path / "a").write_bytes(b"xyz")
    os.utime(tmp_path / "a", (1, 2))
    assert file_bytes.size_and_time(f"{folder}/a") == (3, 2 * 10**9)


def test_reader_can_seek_and_read_lines(folder):
    with file_bytes.writer(f"{folder}/a") as file:
        file.write(b"one\ntwo\nthree")
    with file_bytes.reader(f"{folder}/a") as file:
        file.seek(4)
        assert file.readline() == b"two\n"
        assert file.readline(3) == b"thr"
        file.seek(0)
        assert list(file) == [b"one\n", b"two\n", b"three"]


def test_a_missing_file_is_an_os_error(folder):
    with pytest.raises(OSError, match="No such file"):
        file_bytes.read(f"{folder}/missing")
    with (
        pytest.raises(OSError, match="No such file"),
        file_bytes.reading(f"{folder}/missing") as file,
    ):
        file.read()


def test_unknown_scheme_is_an_os_error():
    with pytest.raises(OSError, match="nowhere"):
        file_bytes.read("nowhere://a/b")


def test_matching_is_sorted_and_folders_are_known(folder):
    for name in ("b2", "b1", ".b3", "a"):
        with file_bytes.writer(f"{folder}/{name}") as file:
            file.write(b"x")
    found = file_bytes.matching(f"{folder}/b*")
    assert [path.rpartition("/")[2] for path in found] == ["b1", "b2"]
    assert file_bytes.is_folder(folder)
    assert not file_bytes.is_folder(f"{folder}/a")
    names = [name.rstrip("/") for name in file_bytes.names_in(folder)]
    assert sorted(names) == [".b3", "a", "b1", "b2"]
