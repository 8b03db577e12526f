"""What a sweep notes in the folder of a run."""

import pytest

from bert.errors import UserError
from bert.tools.sweeping import notes

VALUES = {"learning_rate": 2e-5, "labels": None}


def test_a_run_begins_and_is_finished(tmp_path):
    assert notes.read(str(tmp_path)) is None
    notes.begin(str(tmp_path), VALUES)
    assert notes.read(str(tmp_path)) == (VALUES, False, {})
    (tmp_path / "eval_results.txt").write_text(
        "eval_accuracy = 0.5\nf1_by = words\nglobal_step = 7\nloss = nan\n"
    )
    notes.finish(str(tmp_path), VALUES)
    kept = notes.read(str(tmp_path))
    assert kept.is_finished
    assert kept.figures["eval_accuracy"] == 0.5
    assert kept.figures.keys() == {"eval_accuracy", "loss"}


def test_figures_of_folds_are_their_means(tmp_path):
    for number, text in enumerate(("f1 = 0.5\n", "f1 = 1.0\nloss = 1\n")):
        fold = tmp_path / f"fold_{number + 1}"
        fold.mkdir()
        (fold / "eval_results.txt").write_text(text)
    assert notes.figures(str(tmp_path)) == {"f1": 0.75}


def test_the_same_flags_may_go_on(tmp_path):
    notes.check(str(tmp_path / "new"), VALUES)
    (tmp_path / ".tmp-bert-sweep_run.json").touch()  # of a kill
    notes.check(str(tmp_path), VALUES)
    notes.begin(str(tmp_path), VALUES)
    notes.check(str(tmp_path), {**VALUES, "new_flag": 3})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"values": {"learning_rate": 1}}', r"another --learning_rate \(1 b"),
        ('{"values": 1}', "expected the note of a sweep"),
        ('{"zzz": 1}', "expected the note of a sweep"),
        ("{", "expected the note of a sweep"),
        (None, "Received: other files"),
    ],
)
def test_a_folder_of_something_else_is_refused(tmp_path, text, message):
    if text is None:
        (tmp_path / "model.ckpt-1.index").touch()
    else:
        (tmp_path / "sweep_run.json").write_text(text)
    with pytest.raises(UserError, match=message):
        notes.check(str(tmp_path), VALUES)
