"""Paths that name one of a model's tasks."""

import pytest

from bert.errors import UserError
from bert.files import task_paths


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("runs/3#mrpc", ("runs/3", "mrpc")),
        ("runs/3/model.ckpt-7#a.b-c", ("runs/3/model.ckpt-7", "a.b-c")),
        ("runs/3", ("runs/3", None)),
        ("runs#3/x", ("runs#3/x", None)),
        ("runs/3#", ("runs/3#", None)),
    ],
)
def test_a_path_is_split(path, expected):
    assert task_paths.split(path) == expected
    if expected[1]:
        assert task_paths.join(*expected) == path


def test_what_is_there_by_the_name_counts_as_such(tmp_path):
    (tmp_path / "run#1").mkdir()
    (tmp_path / "model#2.index").touch()
    for name in ("run#1", "model#2"):
        path = str(tmp_path / name)
        assert task_paths.split(path) == (path, None)
    assert task_paths.split(f"{tmp_path}/run#1#x") == (f"{tmp_path}/run#1", "x")


def test_the_folder_of_a_checkpoint_names_the_task_too():
    assert task_paths.folder_of("a/b/model.ckpt-7#x") == "a/b#x"
    assert task_paths.folder_of("a/b/model.ckpt-7") == "a/b"


@pytest.mark.parametrize(
    ("path", "task"), [("a", "b/c"), ("a", ""), ("a#b", "c"), ("a", "b" * 101)]
)
def test_a_task_is_named_once_and_by_a_name(path, task):
    with pytest.raises(UserError, match="--task_name must be"):
        task_paths.join(path, task)


def test_all_tasks_of_a_checkpoint_have_one_index(tmp_path):
    assert task_paths.index_of("a/model.ckpt-3") == "a/model.ckpt-3.index"
    assert task_paths.index_of("a/model.ckpt-3#mrpc") == "a/model.ckpt-3.index"


def test_what_is_one_tasks_is_in_a_folder_of_its_own():
    assert task_paths.own_folder("out", "mrpc") == "out/tasks/mrpc"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (task_paths.own_folder("a/out", "mrpc"), "a/out"),
        ("a/out/tasks/mrpc/", "a/out"),
        ("a/out", None),
        ("a/tasks", None),
    ],
)
def test_the_run_around_a_tasks_folder_is_found(folder, expected):
    assert task_paths.run_folder(folder) == expected


def test_a_folder_to_write_to_may_not_hide_a_task(tmp_path):
    path = f"{tmp_path}/out#rte"
    task_paths.check_new_folder(path, "output_dir")
    (tmp_path / "out/tasks/rte").mkdir(parents=True)
    message = rf"--output_dir={path} is a task of the model in {tmp_path}/out,"
    with pytest.raises(UserError, match=message):
        task_paths.check_new_folder(path, "output_dir")
    (tmp_path / "out#rte").mkdir()  # there already: a run may go on
    task_paths.check_new_folder(path, "output_dir")


def test_the_best_weights_are_in_a_folder_that_is_of_the_run():
    assert task_paths.best_folder("runs/3") == "runs/3/best"
    assert task_paths.folders("runs/3/best") == ("runs/3/best", "runs/3")
