"""A second run is kept out, whatever became of the first."""

import multiprocessing
import os

import pytest

from bert.errors import UserError
from bert.files import run_lock


def test_a_second_run_is_refused_while_the_first_lasts(tmp_path):
    path = str(tmp_path / "lock")
    with run_lock.alone(path, "--output_file=out"):
        with (
            pytest.raises(
                UserError, match=f"writing --output_file=out .*locked {path}"
            ),
            run_lock.alone(path, "--output_file=out"),
        ):
            pass
        assert os.path.exists(path)
    assert not os.path.exists(path)
    with run_lock.alone(path, "--output_file=out"):
        pass


def _lock_and_die(path):
    with run_lock.alone(path, "--output_file=out"):
        os._exit(1)


def test_the_lock_of_a_dead_process_is_free(tmp_path):
    path = str(tmp_path / "lock")
    process = multiprocessing.get_context("spawn").Process(
        target=_lock_and_die, args=(path,)
    )
    process.start()
    process.join()
    assert (process.exitcode, os.path.exists(path)) == (1, True)
    with run_lock.alone(path, "--output_file=out"):
        pass


def test_the_lock_ends_with_an_error(tmp_path):
    path = str(tmp_path / "lock")
    with pytest.raises(KeyError), run_lock.alone(path, "--output_file=out"):
        raise KeyError
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["gs://bucket/lock", "missing/lock"])
def test_where_no_lock_can_be(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "://" in path:  # nobody is kept out
        with (
            run_lock.alone(path, "--output_file=out"),
            run_lock.alone(path, "--output_file=out"),
        ):
            assert os.listdir(tmp_path) == []
    else:
        with (
            pytest.raises(FileNotFoundError),
            run_lock.alone(path, "--output_file=out"),
        ):
            pass


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(run_lock.fcntl, "flock", refuse)
    path = str(tmp_path / "lock")
    with (
        run_lock.alone(path, "--output_file=out"),
        run_lock.alone(path, "--output_file=out"),
    ):
        pass
