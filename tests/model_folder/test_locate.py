import os

import pytest

from bert.errors import UserError
from bert.model_folder import labels, locate, task_files
from bert.model_folder.task_files import Task

TASK = Task(task="ner", do_lower_case=True, max_seq_length=8)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


@pytest.mark.parametrize(
    "name", ["checkpoint", "a.index", "best/checkpoint", "best/b.index"]
)
def test_checkpoints_are_seen_by_their_files(tmp_path, name):
    assert not locate.has_checkpoint(str(tmp_path / "nowhere"))
    touch(tmp_path / "in/vocab.txt")
    assert not locate.has_checkpoint(str(tmp_path / "in"))
    touch(tmp_path / "in" / name)
    assert locate.has_checkpoint(str(tmp_path / "in"))


def test_a_saved_model_is_told_by_its_file(tmp_path):
    assert not locate.is_saved_model(str(tmp_path))
    touch(tmp_path / "saved_model.pb")
    assert locate.is_saved_model(str(tmp_path))


def test_what_best_lacks_the_run_around_it_has(tmp_path):
    out, best = tmp_path / "out", tmp_path / "out/best"
    touch(out / "vocab.txt")
    touch(best / "labels.txt")
    assert locate.file(str(best), "vocab.txt") == str(out / "vocab.txt")
    assert locate.file(f"{best}/", "labels.txt") == f"{best}/labels.txt"
    assert locate.file(str(out), "labels.txt") is None
    assert locate.file(str(tmp_path / "other"), "vocab.txt") is None


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "vocab.txt").mkdir()
    assert locate.file(str(tmp_path), "vocab.txt") is None


def test_a_missing_file_is_one_line(tmp_path):
    message = rf"Expected vocab\.txt in {tmp_path}\. .* own \(--vocab_file\)"
    with pytest.raises(UserError, match=message):
        locate.needed_file(str(tmp_path), "vocab.txt", "vocab_file")
    touch(tmp_path / "vocab.txt")
    found = locate.needed_file(str(tmp_path), "vocab.txt", "vocab_file")
    assert found == str(tmp_path / "vocab.txt")


def test_the_task_is_that_of_the_folder_or_the_run_around_it(tmp_path):
    out = tmp_path / "out"
    (out / "best").mkdir(parents=True)
    (out / "other").mkdir()
    assert locate.task(str(out)) is None
    (out / task_files.TASK_FILE).write_text(TASK.to_json())
    for path in (str(out), str(out / "best"), f"{out}/best/"):
        assert locate.task(path) == TASK
    assert locate.task(str(out / "other")) is None


@pytest.mark.parametrize("name", ["model.ckpt-7", "best/m.ckpt-3"])
def test_labels_are_found_beside_a_checkpoint(tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    beside = os.path.dirname(str(folder / name))
    (tmp_path / "labels.txt").write_text("x\ny\n")  # not the model's
    assert locate.labels(beside) is None
    labels.write(str(folder), ["a", "b"])
    expected = (["a", "b"], str(folder / "labels.txt"))
    assert locate.labels(beside) == expected
    assert locate.labels(str(tmp_path / "none"), beside) == expected
    assert locate.labels(str(tmp_path), beside).names == ["x", "y"]
