import dataclasses
import json

import pytest

from bert.data.records.long_texts import LongTexts
from bert.errors import UserError
from bert.model_folder import task_files
from bert.model_folder.task_files import Task
from bert.tasks import spec

SQUAD = Task(
    task="squad",
    do_lower_case=False,
    max_seq_length=384,
    options=spec.find("squad").options,
)


def read(folder):
    """What the task.json in a folder says."""
    return task_files.read(str(folder / "task.json"))


@pytest.fixture
def files(tmp_path):
    """A configuration, a vocabulary and an empty folder."""
    (tmp_path / "config.json").write_text('{"vocab_size": 3}')
    (tmp_path / "words.txt").write_bytes("[UNK]\r\na\nß".encode())
    (tmp_path / "out").mkdir()
    return [str(tmp_path / "config.json"), str(tmp_path / "words.txt")]


def test_what_is_written_is_read(tmp_path, files):
    out = tmp_path / "out"
    task_files.write(str(out), SQUAD, *files)
    assert read(out) == SQUAD
    for name, source in (("bert_config.json", 0), ("vocab.txt", 1)):
        with open(files[source], "rb") as file:
            assert (out / name).read_bytes() == file.read()
    assert {path.name for path in out.iterdir()} == {
        "bert_config.json",
        "task.json",
        "vocab.txt",
    }


def test_how_tables_are_read_is_kept(tmp_path, files):
    task = Task(
        task="classification",
        kind="regression",
        do_lower_case=True,
        max_seq_length=8,
        table={"text_column": "a", "header": False, "delimiter": ";"},
    )
    task_files.write(str(tmp_path / "out"), task, *files)
    assert read(tmp_path / "out") == task
    assert "table" not in SQUAD.to_json()


def test_how_long_texts_are_read_is_kept(tmp_path, files):
    task = Task(
        task="classification",
        kind="classification",
        do_lower_case=True,
        max_seq_length=8,
        long_texts=LongTexts("windows", 3, 5, "max"),
    )
    task_files.write(str(tmp_path / "out"), task, *files)
    assert read(tmp_path / "out") == task
    assert "long_texts" not in SQUAD.to_json()


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
    assert read(tmp_path / "out") == task


def test_update_changes_only_a_task_that_is_there(tmp_path, files):
    out = tmp_path / "out"
    task_files.update(str(out), SQUAD)
    assert not (out / "task.json").exists()
    task = Task(task="ner", do_lower_case=True, max_seq_length=8)
    task_files.write(str(out), task, *files)
    task_files.update(str(out), SQUAD)
    assert read(out) == SQUAD


def test_what_was_found_of_a_checkpoint_stays(tmp_path, files):
    out = str(tmp_path / "out")
    found = task_files.Bfloat16(agreement=1.0, rows=9, checkpoint="a")
    task_files.write(out, SQUAD, *files)
    task_files.update(out, SQUAD)
    known = dataclasses.replace(SQUAD, bfloat16=found)
    (tmp_path / "out/task.json").write_text(known.to_json())
    task_files.write(out, SQUAD, *files)
    task_files.update(out, SQUAD)
    assert read(tmp_path / "out") == known


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
        {"table": 3},
        {"table": {"header": "yes"}},
        {"more": 1},
        {"long_texts": 3},
        {"long_texts": {"truncation": "middle"}},
        {"long_texts": {"truncation": "centre"}},
        {"long_texts": {"truncation": "windows"}},
        {"bfloat16": 0.99},
        {"bfloat16": {"agreement": 0.99, "rows": 3}},
        {"bfloat16": {"agreement": 1.1, "rows": 3, "checkpoint": "a"}},
        {"bfloat16": {"agreement": "1", "rows": 3, "checkpoint": "a"}},
        {"bfloat16": {"agreement": 1.0, "rows": -1, "checkpoint": "a"}},
        {"bfloat16": {"agreement": 1.0, "rows": True, "checkpoint": "a"}},
        {"bfloat16": {"agreement": 1.0, "rows": 3, "checkpoint": 1}},
    ],
)
def test_a_task_of_something_else_is_refused(tmp_path, files, change):
    path = tmp_path / "out/task.json"
    path.write_text(json.dumps({**json.loads(SQUAD.to_json()), **change}))
    for use in (
        lambda: read(tmp_path / "out"),
        lambda: task_files.check(str(tmp_path / "out"), *files),
    ):
        with pytest.raises(UserError, match=r"task\.json: expected the JSON"):
            use()


def test_what_a_file_lacks_is_what_was_before_there_was_such_a_key():
    text = (
        '{"task": "squad", "max_seq_length": 8, "options": {"doc_stride": 3}}'
    )
    task = task_files.from_json(text, "task.json")
    assert task.options == {**SQUAD.options, "doc_stride": 3}
    assert (task.do_lower_case, task.kind) == (None, None)
    task = task_files.from_json('{"task": "squad", "max_seq_length": 8}', "t")
    assert task.options == SQUAD.options


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"task": "sing"}, "an unknown task 'sing'"),
        ({"more": 1}, "an unknown key 'more'"),
        ({"options": {"a": 1}}, "a task 'squad' that knows no option 'a'"),
        ({"table": {"a": 1}}, "a table with an unknown 'a'"),
        ({"long_texts": {"a": 1}}, "long_texts with an unknown 'a'"),
        ({"bfloat16": {"a": 1}}, "bfloat16 with an unknown 'a'"),
    ],
)
def test_what_this_version_does_not_know_is_of_a_newer_one(change, unknown):
    text = json.dumps({**json.loads(SQUAD.to_json()), **change})
    expected = f"Received: {unknown}; a newer version wrote the file, use that"
    with pytest.raises(UserError, match=expected):
        task_files.from_json(text, "task.json")


@pytest.mark.parametrize("text", ["", "[1]", '{"task": ', "\x00", "[" * 9**5])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "task.json").write_text(text)
    with pytest.raises(UserError, match=r"task\.json: expected") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
