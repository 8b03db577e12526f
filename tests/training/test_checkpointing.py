import json
import os

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.training import checkpointing
from bert.training.checkpointing import RunState


def save(folder, step, **kwargs):
    tensors = {
        "bert/w": tf.Variable([float(step)]),
        "global_step": tf.Variable(step, dtype=tf.int64),
    }
    return checkpointing.save(
        str(folder), step, tensors, RunState(7, step * 2), **kwargs
    )


def names(folder):
    return {path.name for path in folder.iterdir()}


def files(*steps):
    return {"checkpoint"} | {
        f"model.ckpt-{step}{suffix}"
        for step in steps
        for suffix in (".index", ".data-00000-of-00001", ".run.json")
    }


def test_a_save_can_be_read_back_whole(tmp_path):
    reader = checkpoint.Reader(save(tmp_path, 3))
    assert reader.read("bert/w").tolist() == [3.0]
    assert checkpointing.step_of(reader) == 3
    assert checkpointing.read_state(reader) == RunState(7, 6)
    assert names(tmp_path) == files(3)


def test_five_are_kept_and_checkpoint_lists_them(tmp_path):
    for step in range(0, 70, 10):
        save(tmp_path, step)
    assert names(tmp_path) == files(20, 30, 40, 50, 60)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert state.model_checkpoint_path == str(tmp_path / "model.ckpt-60")
    assert len(state.all_model_checkpoint_paths) == 5


@pytest.mark.parametrize(("keep", "first"), [(1, 9), (3, 7), (0, 0), (99, 0)])
def test_as_many_are_kept_as_is_said(tmp_path, keep, first):
    for step in range(10):
        save(tmp_path, step, keep=keep)
    assert names(tmp_path) == files(*range(first, 10))
    assert checkpointing.listed_steps(str(tmp_path)) == list(range(first, 10))


def test_a_checkpoint_put_aside_by_the_user_is_never_deleted(tmp_path):
    save(tmp_path, 10)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "x"')
    for step in (20, 30, 40):
        save(tmp_path, step, keep=2)
    assert names(tmp_path) == files(10, 30, 40)


def test_meta_files_of_the_original_go_with_their_checkpoint(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "model.ckpt-1.meta").write_text("graph")
    (tmp_path / "graph.pbtxt").write_text("graph")
    save(tmp_path, 2, keep=1)
    assert names(tmp_path) == files(2) | {"graph.pbtxt"}


def test_saving_a_step_again_replaces_it(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    save(tmp_path, 1)
    assert names(tmp_path) == files(1, 2)
    assert checkpointing.newest(str(tmp_path)).endswith("-1")


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_kill_at_any_rename_leaves_the_last_one_whole(
    tmp_path, monkeypatch, fails_at
):
    save(tmp_path, 1)
    calls = []

    def dying(rename):
        def dies(*args, **kwargs):
            calls.append(args)
            if len(calls) == fails_at:
                raise KeyboardInterrupt
            rename(*args, **kwargs)

        return dies

    for module, name in ((tf.io.gfile, "rename"), (os, "replace")):
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    # As after SIGKILL: nobody cleans up.
    monkeypatch.setattr(checkpointing, "remove_temporary_files", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, 2)
    monkeypatch.undo()
    newest = checkpoint.Reader(checkpointing.newest(str(tmp_path)))
    assert newest.read("bert/w").tolist() == [1.0]
    checkpointing.remove_temporary_files(str(tmp_path))
    save(tmp_path, 2)
    assert names(tmp_path) == files(1, 2)


def test_without_a_state_file_the_highest_step_is_newest(tmp_path):
    for step in (9, 10):
        save(tmp_path, step)
    (tmp_path / "checkpoint").unlink()
    assert checkpointing.newest(str(tmp_path)).endswith("model.ckpt-10")
    assert checkpointing.newest(str(tmp_path / "nothing")) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"seed": 1}',
        "{}x",
        '{"seed": null, "examples_seen": 0}',
        '{"seed": 1.5, "examples_seen": 8}',
        '{"seed": 1, "examples_seen": -8}',
        '{"seed": 4294967296, "examples_seen": 8}',
    ],
)
def test_a_damaged_sidecar_is_named(tmp_path, content):
    prefix = save(tmp_path, 1)
    (tmp_path / "model.ckpt-1.run.json").write_text(content)
    with pytest.raises(UserError, match=r"ckpt-1\.run\.json is damaged"):
        checkpointing.read_state(checkpoint.Reader(prefix))


def test_the_sidecar_is_plain_json(tmp_path):
    save(tmp_path, 4)
    text = (tmp_path / "model.ckpt-4.run.json").read_text()
    assert json.loads(text) == {"seed": 7, "examples_seen": 8}


def restore(folder, variables):
    reader = checkpoint.Reader(str(folder))
    checkpointing.restore(reader, variables, "bert")


def test_restore_refuses_another_models_checkpoint(tmp_path):
    save(tmp_path, 1)
    other = {"bert/x": tf.Variable([0.0])}
    with pytest.raises(UserError, match=r"another model.*lacks 1 .*bert/x"):
        restore(tmp_path, other)
    larger = {"bert/w": tf.Variable([0.0, 0.0])}
    with pytest.raises(UserError, match=r"\[1\] in the checkpoint and \[2\]"):
        restore(tmp_path, larger)
    assert larger["bert/w"].numpy().tolist() == [0.0, 0.0]


def test_restore_refuses_a_deeper_models_checkpoint(tmp_path):
    layer = "bert/encoder/layer_{}/w"
    tensors = {layer.format(i): tf.Variable([1.0]) for i in range(3)}
    checkpointing.save(str(tmp_path), 1, tensors, RunState(7, 2))
    kept = layer.format(0)
    with pytest.raises(UserError, match=r"has unknown 2 tensors"):
        restore(tmp_path, {kept: tensors[kept]})


def test_restore_leaves_out_what_the_model_never_had(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    extra = ["bert/adapter/w", "bert/w/ema", "other"]
    tensors = {name: tf.Variable([1.0]) for name in ["bert/w", *extra]}
    checkpointing.save(str(tmp_path), 1, tensors, RunState(7, 2))
    variable = tf.Variable([0.0])
    restore(tmp_path, {"bert/w": variable})
    assert variable.numpy().tolist() == [1.0]
    assert "of another optimizer: 1 slots (ema)" in caplog.text
    assert "not used by this run: bert/adapter/w, other" in caplog.text


def test_restore_wants_the_moments_of_its_own_optimizer(tmp_path):
    tensors = {"bert/w": tf.Variable([1.0]), "bert/w/lamb_m": tf.Variable(0.0)}
    checkpointing.save(str(tmp_path), 1, tensors, RunState(7, 2))
    wanted = {"bert/w": tf.Variable([0.0]), "bert/w/adam_m": tf.Variable([0.0])}
    with pytest.raises(UserError, match=r"it has 1 slots \(lamb_m\), as anot"):
        restore(tmp_path, wanted)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ([1, 2], r"global_step is \[2\] in the checkpoint and \[\] in"),
        (1.0, "global_step is float32 in the checkpoint and must be int64"),
        ("a", "global_step is string in the checkpoint and must be int64"),
        (-3, "must be a number of steps. Received: -3"),
    ],
)
def test_a_step_that_is_no_number_is_one_line(tmp_path, step, message):
    prefix = str(tmp_path / "model.ckpt-1")
    checkpoint.write_files(prefix, {"global_step": tf.constant(step)})
    with pytest.raises(UserError, match=message):
        checkpointing.step_of(checkpoint.Reader(prefix))
