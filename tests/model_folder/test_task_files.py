import json

import pytest

from bert.errors import UserError
from bert.model_folder import task_files
from bert.model_folder.task_files import Task
from bert.tasks import spec

SQUAD = Task(
    task="squad",
    do_lower_case=False,
    max_seq_length=384,
    options=task_files.SQUAD_OPTIONS,
)


@pytest.fixture
def files(tmp_path):
    """A configuration, a vocabulary and an empty folder."""
    (tmp_path / "config.json").write_text('{"vocab_size": 3}')
    (tmp_path / "words.txt").write_bytes("[UNK]\r\na\nß".encode())
    (tmp_path / "out").mkdir()
    return [str(tmp_path / "config.json"), str(tmp_path / "words.txt")]


def test_what_is_written_is_read(tmp_path, files):
    out = tmp_path / "out"
    assert task_files.read(str(out)) is None
    task_files.write(str(out), SQUAD, *files)
    assert task_files.read(str(out)) == SQUAD
    (out / "best").mkdir()
    assert task_files.read(str(out / "best")) == SQUAD
    assert task_files.read(f"{out}/best/") == SQUAD
    for name, source in (("bert_config.json", 0), ("vocab.txt", 1)):
        with open(files[source], "rb") as file:
            assert (out / name).read_bytes() == file.read()
    assert {path.name for path in out.iterdir()} == {
        "best",
        "bert_config.json",
        "task.json",
        "vocab.txt",
    }


def test_a_folder_of_another_name_is_not_looked_up_from(tmp_path, files):
    task_files.write(str(tmp_path), SQUAD, *files)
    assert task_files.read(str(tmp_path / "out")) is None


def test_files_with_the_same_content_are_left_alone(tmp_path, files):
    out = tmp_path / "out"
    task_files.write(str(out), SQUAD, *files)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    task_files.check(str(out), *files)
    task_files.write(str(out), SQUAD, *files)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_a_run_without_a_vocabulary_keeps_none(tmp_path, files):
    task = Task(task="pretraining", do_lower_case=None, max_seq_length=8)
    task_files.check(str(tmp_path / "out"), files[0], None)
    task_files.write(str(tmp_path / "out"), task, files[0], None)
    assert not (tmp_path / "out/vocab.txt").exists()
    assert task_files.read(str(tmp_path / "out")) == task


def test_update_changes_only_a_task_that_is_there(tmp_path, files):
    out = str(tmp_path / "out")
    task_files.update(out, SQUAD)
    assert task_files.read(out) is None
    task = Task(task="ner", do_lower_case=True, max_seq_length=8)
    task_files.write(out, task, *files)
    task_files.update(out, SQUAD)
    assert task_files.read(out) == SQUAD


@pytest.mark.parametrize("name", ["bert_config.json", "vocab.txt"])
def test_another_models_file_is_refused(tmp_path, files, name):
    (tmp_path / "out" / name).write_text("other")
    with pytest.raises(UserError, match=rf"out/{name} differs .* another --ou"):
        task_files.check(str(tmp_path / "out"), *files)


@pytest.mark.parametrize("name", ["bert_config.json", "task.json"])
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path, files, name):
    (tmp_path / "out" / name).mkdir()
    with pytest.raises(UserError, match=rf"out/{name}\. Received: a folder"):
        task_files.check(str(tmp_path / "out"), *files)


@pytest.mark.parametrize(
    "change",
    [
        {"task": "sing"},
        {"kind": "regression"},
        {"task": "classification"},
        {"do_lower_case": 1},
        {"max_seq_length": "8"},
        {"max_seq_length": True},
        {"max_seq_length": 0},
        {"options": {"a": []}},
        {"options": 3},
        {"more": 1},
    ],
)
def test_a_task_of_something_else_is_refused(tmp_path, files, change):
    path = tmp_path / "out/task.json"
    path.write_text(json.dumps({**json.loads(SQUAD.to_json()), **change}))
    for use in (
        lambda: task_files.read(str(tmp_path / "out")),
        lambda: task_files.check(str(tmp_path / "out"), *files),
    ):
        with pytest.raises(UserError, match=r"task\.json: expected the JSON"):
            use()


@pytest.mark.parametrize("text", ["", "[1]", '{"task": ', "\x00", "[" * 9**5])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "task.json").write_text(text)
    with pytest.raises(UserError, match=r"task\.json: expected") as caught:
        task_files.read(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_kinds_are_those_of_the_table_of_tasks():
    assert spec.kinds("classification") == task_files.KINDS
