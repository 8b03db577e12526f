import errno
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
    monkeypatch.setattr(atomic_files, "_exchange", lambda *_: False)
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


def test_a_circle_of_links_cannot_be_replaced(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    reason = atomic_files.why_no_folder(str(tmp_path / "loop"))
    assert "cannot be replaced: it is a circle of links" in reason
    assert "it is a mount point" in atomic_files.why_no_folder("/proc")


def test_folders_change_places_in_one_step(tmp_path, monkeypatch):
    path = tmp_path / "out"
    replace(path, "first")
    # Without the two renames there is no moment without a folder.
    monkeypatch.setattr(tf.io.gfile, "rename", pytest.fail)
    replace(path, "second")
    assert (path / "file").read_text() == "second"
    assert names_in(tmp_path) == {"out"}


def test_an_error_leaves_no_empty_folder(tmp_path):
    def make(folder, *names):
        with atomic_files.leaving_no_folder(str(tmp_path / folder)):
            os.makedirs(tmp_path / folder, exist_ok=True)
            for name in names:
                (tmp_path / name).touch()
            raise RuntimeError

    (tmp_path / "there").mkdir()
    for folder in ("new/er/est", "there"):
        with pytest.raises(RuntimeError):
            make(folder)
    assert names_in(tmp_path) == {"there"}
    with pytest.raises(RuntimeError):
        make("a/b", "a/kept")
    assert names_in(tmp_path / "a") == {"kept"}


def test_a_folder_that_fails_takes_those_above_it_with_it(tmp_path):
    with pytest.raises(RuntimeError):
        replace(tmp_path / "above" / "out", "fail")
    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("stays", [True, False])
def test_files_of_a_folder_are_replaced_in_one_step(
    tmp_path, monkeypatch, stays
):
    folder = tmp_path / "out"
    (folder / "inner").mkdir(parents=True)
    for name in ("old", "kept", "inner/kept", "new.tmp"):
        (folder / name).write_text(name)
    if stays:
        monkeypatch.setattr(atomic_files, "_exchange", lambda *_: False)
    done = atomic_files.replace_files(
        str(folder),
        ["old", "new.tmp"],
        {"new": str(folder / "new.tmp")},
    )
    assert done == (not stays)
    expected = {"inner", "kept", *(["old", "new.tmp"] if stays else ["new"])}
    assert names_in(folder) == expected
    assert (folder / "inner/kept").read_text() == "inner/kept"
    assert names_in(tmp_path) == {"out"}


def test_a_full_disk_names_the_file(tmp_path):
    path = str(tmp_path / "out.txt")
    for number in (errno.ENOSPC, errno.EFBIG):
        with (
            pytest.raises(OSError, match="full") as caught,
            atomic_files.replacing(path) as temporary,
            open(temporary, "w"),
        ):
            raise OSError(number, "full")
        assert caught.value.filename == path
    with pytest.raises(OSError, match="odd") as caught:  # noqa: SIM117
        with atomic_files.naming(path):
            raise OSError(errno.EBADF, "odd")
    assert caught.value.filename is None
