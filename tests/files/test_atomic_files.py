import os

import pytest
import tensorflow as tf

from bert.files import atomic_files


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def replace(path, text):
    with atomic_files.replacing_folder(str(path)) as folder:
        with open(os.path.join(folder, "file"), "w") as file:
            file.write(text)
        if text == "fail":
            raise RuntimeError


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "above" / "out"
    replace(path, "first")
    with pytest.raises(RuntimeError):
        replace(path, "fail")
    assert (path / "file").read_text() == "first"
    replace(path, "second")
    assert (path / "file").read_text() == "second"
    assert names_in(path.parent) == {"out"}


def test_a_folder_that_a_kill_has_hidden_comes_back(tmp_path, monkeypatch):
    path = tmp_path / "out"
    replace(path, "first")

    class Killed(BaseException):
        pass

    def kill(*args):
        raise Killed

    # Between the two renames, nothing is done any more.
    rename = tf.io.gfile.rename
    with monkeypatch.context() as patch:
        patch.setattr(
            tf.io.gfile,
            "rename",
            lambda a, b: rename(a, b) if a == str(path) else kill(),
        )
        with pytest.raises(Killed):
            replace(path, "second")
    assert not path.exists()
    with pytest.raises(RuntimeError):
        replace(path, "fail")
    assert (path / "file").read_text() == "first"
    assert names_in(tmp_path) == {"out"}


def test_what_is_there_is_not_brought_back(tmp_path):
    path = tmp_path / "out"
    replace(path, "old")
    path.rename(tmp_path / ".old-bert-out")
    path.mkdir()
    atomic_files.restore_folder(str(path))
    assert names_in(path) == set()
    replace(path, "new")
    assert names_in(tmp_path) == {"out"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    above = str(tmp_path / "a" / "b")
    assert atomic_files.why_no_folder(above) is None
    assert "cannot be made" in atomic_files.why_no_folder("/proc/out")
    reason = atomic_files.why_no_folder(str(tmp_path / "file" / "out"))
    assert "no folder that can be written to (Not a directory)" in reason
    assert names_in(tmp_path) == {"file"}
