"""Paths of flags: patterns that match, files that can be written."""

import os

import pytest

from bert.errors import UserError
from bert.files import flag_paths


def test_patterns_keep_their_order_and_sort_their_files(tmp_path):
    for name in ("b2", "b1", "a"):
        (tmp_path / name).touch()
    found = flag_paths.matching_files(
        f"{tmp_path}/b*,{tmp_path}/a", "input_file"
    )
    assert [name[-2:] for name in found] == ["b1", "b2", "/a"]


@pytest.mark.parametrize("pattern", ["nothing*", "a,,a", ""])
def test_a_pattern_without_files_is_an_error(tmp_path, monkeypatch, pattern):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").touch()
    with pytest.raises(UserError, match="No file matches --input_file"):
        flag_paths.matching_files(pattern, "input_file")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match="names a folder"):
        flag_paths.matching_files(str(tmp_path), "input_file")


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
        flag_paths.check_writable(str(tmp_path / name), "out")


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write all"
)
def test_folder_without_permission_is_an_error(tmp_path):
    tmp_path.chmod(0o500)

    with pytest.raises(UserError, match="cannot be written; check the perm"):
        flag_paths.check_writable(str(tmp_path / "a.tfrecord"), "out")


def test_new_and_old_files_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "old").touch()
    monkeypatch.chdir(tmp_path)

    flag_paths.check_writable(str(tmp_path / "new"), "out")
    flag_paths.check_writable(str(tmp_path / "old"), "out")
    flag_paths.check_writable("in_this_folder", "out")


def test_a_folder_may_be_there_or_not(tmp_path):
    flag_paths.check_folder(str(tmp_path), "out")
    flag_paths.check_folder(str(tmp_path / "a/b"), "out")
    flag_paths.check_folder("gs://bucket/out", "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("below", ["", "/a"])
def test_no_folder_is_refused(tmp_path, monkeypatch, below):
    monkeypatch.chdir(tmp_path)  # a message may shorten a long path
    (tmp_path / "file").touch()
    path = f"file{below}"
    with pytest.raises(UserError, match=f"Received: --out={path}, which "):
        flag_paths.check_folder(path, "out")


def test_a_new_file_takes_no_others_place(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("mine")
    flag_paths.check_new_file(str(new), "output_file", False, [str(old)])
    flag_paths.check_new_file(str(old), "output_file", True)
    with pytest.raises(UserError, match=r"--output_file: .*is there already"):
        flag_paths.check_new_file(str(old), "output_file", False)
    (tmp_path / "link").symlink_to(old)
    with pytest.raises(UserError, match="is also an input"):
        flag_paths.check_new_file(
            str(tmp_path / "link"), "output_file", True, [str(old)]
        )
