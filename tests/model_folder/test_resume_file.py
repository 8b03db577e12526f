"""A run goes on with what it was made with, or says what is another."""

import dataclasses
import json
import logging
import os

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import resume_file
from bert.model_folder.task_files import Task
from bert.training import checkpointing
from tests.model_folder.test_task_files import SQUAD

PRETRAINING = Task(task="pretraining", do_lower_case=None, max_seq_length=9)
TRAINING = {"data": "sha256:a", "train_batch_size": 8, "max_seq_length": 128}


@pytest.fixture
def files(tmp_path):
    """A configuration and a vocabulary."""
    (tmp_path / "config.json").write_text('{"vocab_size": 3, "a": 4}')
    (tmp_path / "words.txt").write_text("a\nb\n")
    return [str(tmp_path / "config.json"), str(tmp_path / "words.txt")]


@pytest.fixture
def out(tmp_path, files):
    """The folder of a run of SQUAD with the labels a and b."""
    folder = str(tmp_path / "out")
    (tmp_path / "out").mkdir()
    meaning = resume_file.meaning(SQUAD, *files, ["a", "b"])
    resume_file.go_on(folder, meaning, TRAINING)
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    checkpointing.save(folder, 4, tensors, checkpointing.RunState(1, 32))
    return folder


def test_the_same_is_right_however_the_configuration_is_written(out, files):
    with open(files[0], "w") as file:
        file.write('{"a":4,\n"vocab_size":3}')
    now = resume_file.meaning(SQUAD, *files, ["a", "b"])
    resume_file.check(out, now, insists=False)


def test_a_task_of_several_goes_on_with_the_checkpoints_around(
    out, files, caplog
):
    own = task_paths.own_folder(out, "answers")
    os.makedirs(own)
    meaning = resume_file.meaning(SQUAD, *files)
    resume_file.go_on(own, meaning, TRAINING)
    resume_file.check(own, meaning, insists=False)
    with pytest.raises(UserError, match="another do_lower_case"):
        resume_file.check(own, {**meaning, "do_lower_case": True}, False)
    resume_file.go_on(own, meaning, {**TRAINING, "max_seq_length": 64})
    assert "another max_seq_length" in caplog.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"config": '{"vocab_size": 3, "a": 5}'}, "another bert_config,"),
        ({"vocabulary": "b\na\n"}, "another vocabulary,"),
        (
            {"labels": ["b", "a"]},
            'another labels (["a", "b"] before, ["b", "a"] now),',
        ),
        (
            {"do_lower_case": True},
            "another do_lower_case (false before, true now),",
        ),
        (
            {"labels": [], "do_lower_case": True},
            'labels (["a", "b"] before, [] now), do_lower_case',
        ),
    ],
)
def test_another_meaning_is_refused_unless_one_insists(
    out, files, change, named, caplog
):
    for path, key in zip(files, ("config", "vocabulary"), strict=True):
        if key in change:
            with open(path, "w") as file:
                file.write(change[key])
    lower = change.get("do_lower_case", False)
    now = resume_file.meaning(
        dataclasses.replace(SQUAD, do_lower_case=lower),
        *files,
        change.get("labels", ["a", "b"]),
    )
    with pytest.raises(UserError) as raised:
        resume_file.check(out, now, insists=False)
    assert named in str(raised.value)
    assert "--force_resume" in str(raised.value)
    resume_file.check(out, now, insists=True)
    assert named.rstrip(",") in caplog.text


def test_another_training_is_told_in_one_line_and_kept(
    out, files, caplog, tmp_path
):
    meaning = resume_file.meaning(SQUAD, *files, ["a", "b"])
    now = {"data": "sha256:b", "train_batch_size": 8, "max_seq_length": 512}
    resume_file.go_on(out, meaning, now)
    assert caplog.messages == [
        f"The run in {out} goes on with another data, max_seq_length (128 "
        "before, 512 now)."
    ]
    kept = json.loads((tmp_path / "out/resume.json").read_text())
    assert kept == {**meaning, **now}
    caplog.clear()
    with caplog.at_level(logging.INFO):
        resume_file.go_on(out, meaning, now)
    assert not caplog.messages


def test_what_a_run_may_be_without_is_told_when_it_comes_and_goes(
    out, files, caplog, tmp_path
):
    meaning = resume_file.meaning(SQUAD, *files, ["a", "b"])
    for more, told in (
        ({"lm_loss_weight": 0.5}, "lm_loss_weight (0.0 before, 0.5 now)"),
        ({"lm_loss_weight": 0.5}, ""),
        ({"teacher": "sha256:b"}, "teacher, lm_loss_weight (0.5 before, 0.0"),
        ({"teacher": None}, "another teacher."),
        ({"teacher_annealing": True}, "annealing (false before, true now)"),
        ({}, "teacher_annealing (true before, false now)"),
        ({"cut_padding": True}, "cut_padding (false before, true now)"),
        ({}, "cut_padding (true before, false now)"),
    ):
        caplog.clear()
        resume_file.go_on(out, meaning, {**TRAINING, **more})
        assert told in caplog.text
        assert bool(told) == bool(caplog.text)
    # Without either, the file is as it was before there were any.
    kept = json.loads((tmp_path / "out/resume.json").read_text())
    assert kept == {**meaning, **TRAINING}


def test_what_the_first_versions_did_not_know_is_told(out, files, caplog):
    meaning = resume_file.meaning(SQUAD, *files, ["a", "b"])
    now = {**TRAINING, "masking": "dynamic", "pack_sequences": False}
    resume_file.go_on(out, meaning, now)
    (message,) = caplog.messages
    assert message.endswith('another masking ("static" before, "dynamic" now).')


def test_a_run_without_the_file_or_a_checkpoint_has_no_meaning(
    out, files, tmp_path, caplog
):
    other = resume_file.meaning(SQUAD, *files, ["c"])
    (tmp_path / "out/checkpoint").unlink()
    (tmp_path / "out/model.ckpt-4.index").unlink()
    resume_file.check(out, other, insists=False)
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    checkpointing.save(out, 4, tensors, checkpointing.RunState(1, 32))
    (tmp_path / "out/resume.json").unlink()
    resume_file.check(out, other, insists=False)
    resume_file.go_on(out, other, TRAINING)
    assert not caplog.messages


@pytest.mark.parametrize("is_known_first", [False, True])
def test_what_was_not_known_is_no_change(out, files, is_known_first):
    unknown = dataclasses.replace(PRETRAINING, do_lower_case=None)
    known = dataclasses.replace(PRETRAINING, do_lower_case=True)
    meanings = [
        resume_file.meaning(unknown, files[0], None),
        resume_file.meaning(known, *files),
    ]
    first, second = meanings[::-1] if is_known_first else meanings
    resume_file.go_on(out, first, TRAINING)
    resume_file.check(out, second, insists=False)


@pytest.mark.parametrize("content", ["", "[]", "[" * 10**5, b"\xff"])
def test_a_damaged_file_is_named(out, files, tmp_path, content):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "out/resume.json").write_bytes(data)
    with pytest.raises(UserError, match=r"resume\.json: expected the JSON"):
        resume_file.check(out, {}, insists=False)
