import itertools
import logging

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.modeling.checkpoint_names import has_moments
from bert.training import checkpointing, moments
from bert.training.checkpointing import RunState
from tests.training.test_run import follow

NAMES = ["bert/w", "a", "global_step"]


def save(folder, step, names=(*NAMES, "bert/w/adam_m", "a/adam_v")):
    """Saves tensors of the step's value."""
    values = {
        name: tf.Variable(step, dtype=tf.int64)
        if name == "global_step"
        else tf.Variable([float(step)] * 3)
        for name in names
    }
    return checkpointing.save(str(folder), step, values, RunState(7, 0), 0)


def has(folder):
    """Returns which steps' checkpoints have moments, after a look at all."""
    found = {}
    for step in checkpointing.listed_steps(str(folder)):
        reader = checkpoint.Reader(str(folder / f"model.ckpt-{step}"))
        for name in reader.shapes:
            assert (reader.read(name) == step).all()
        assert set(NAMES) <= set(reader.shapes)
        found[step] = has_moments(reader.shapes)
    return found


def test_all_but_the_newest_lose_their_moments(tmp_path):
    for step in range(4):
        save(tmp_path, step)
    before = {path.name for path in tmp_path.iterdir()}
    moments.drop_from_older(str(tmp_path), NAMES)
    assert has(tmp_path) == {0: False, 1: False, 2: False, 3: True}
    assert {path.name for path in tmp_path.iterdir()} == before
    data = tmp_path / "model.ckpt-2.data-00000-of-00001"
    assert data.stat().st_size == 3 * 4 + 3 * 4 + 8


def test_what_was_dropped_before_is_not_looked_at_again(tmp_path, monkeypatch):
    save(tmp_path, 0, NAMES)
    (tmp_path / "model.ckpt-0.index").write_text("damaged")
    save(tmp_path, 1, NAMES)
    save(tmp_path, 2)
    monkeypatch.setattr(logging, "warning", pytest.fail)
    moments.drop_from_older(str(tmp_path), NAMES)


@pytest.mark.parametrize(
    "names",
    [
        ["bert/w", "bert/w/adam_m", "a", "global_step"],  # between weights
        ["bert/w", "global_step", "bert/w/adam_m"],  # of another model
    ],
)
def test_a_checkpoint_of_another_order_is_left_alone(tmp_path, names):
    save(tmp_path, 1, names)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    save(tmp_path, 2)
    moments.drop_from_older(str(tmp_path), NAMES)
    after = {path: path.read_bytes() for path in before}
    after[tmp_path / "checkpoint"] = before[tmp_path / "checkpoint"]
    assert after == before


def test_a_damaged_older_one_is_a_warning(tmp_path, caplog):
    save(tmp_path, 1)
    (tmp_path / "model.ckpt-1.index").write_text("damaged")
    save(tmp_path, 2)
    moments.drop_from_older(str(tmp_path), NAMES)
    assert "model.ckpt-1 keeps Adam's moments: The checkpoint" in caplog.text


def test_killed_at_any_moment_all_are_whole(tmp_path, monkeypatch):
    """At each renaming and removal, as after SIGKILL: nobody cleans up."""

    class Killed(BaseException):
        pass

    def dying(function, left):
        def dies(*args, **kwargs):
            if not next(left):
                raise Killed
            function(*args, **kwargs)

        return dies

    for survived in range(4):
        folder = tmp_path / str(survived)
        folder.mkdir()
        save(folder, 1)
        save(folder, 2)
        left = itertools.chain([True] * survived, itertools.repeat(False))
        with monkeypatch.context() as patch:
            for name in ("rename", "remove"):
                function = dying(getattr(tf.io.gfile, name), left)
                patch.setattr(tf.io.gfile, name, function)
            patch.setattr(
                checkpointing, "remove_temporary_files", lambda _: None
            )
            try:
                moments.drop_from_older(str(folder), NAMES)
                assert survived >= 2
            except Killed:
                assert survived < 2
        # The index alone decides.
        assert has(folder) == {1: survived == 0, 2: True}
        checkpointing.remove_leftovers(str(folder), ())
        moments.drop_from_older(str(folder), NAMES)
        assert has(folder) == {1: False, 2: True}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["all", "last"])
def test_a_run_that_is_killed_ends_with_the_same_bits(
    tmp_path, monkeypatch, mode
):
    flags = {"save_checkpoints_steps": 2, "save_optimizer": mode}
    follow(tmp_path / "whole", 5, **flags)
    write = checkpointing.save

    def save_and_die(folder, step, *args):
        write(folder, step, *args)
        if step == 2:
            raise KeyboardInterrupt  # before the older one is touched

    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            follow(tmp_path / "parts", 5, **flags)
    follow(tmp_path / "parts", 5, **flags)
    whole, parts = (tmp_path / name for name in ("whole", "parts"))
    for step in (0, 2, 4, 5):
        name = f"model.ckpt-{step}.data-00000-of-00001"
        assert (whole / name).read_bytes() == (parts / name).read_bytes()
        reader = checkpoint.Reader(str(parts / f"model.ckpt-{step}"))
        assert has_moments(reader.shapes) == (mode == "all" or step == 5)


@pytest.mark.slow
def test_without_moments_a_run_goes_on_if_that_is_said(tmp_path, caplog):
    follow(tmp_path, 2, save_optimizer="none")
    assert not has_moments(checkpoint.Reader(str(tmp_path)).shapes)
    for steps, flags in (
        (3, {"save_optimizer": "none"}),
        (4, {"force_resume": True}),
    ):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            follow(tmp_path, steps, **flags)
        assert "has no moments: Adam's start at zero" in caplog.text
        assert "weights, global_step = " in caplog.text
    reader = checkpoint.Reader(str(tmp_path))
    assert checkpointing.step_of(reader) == 4
    assert np.any(reader.read("output_weights/adam_m"))


@pytest.mark.slow
def test_moments_that_are_there_are_used_without_saving_them(tmp_path, caplog):
    follow(tmp_path, 2)
    with caplog.at_level(logging.INFO):
        follow(tmp_path, 3, save_optimizer="none")
    assert "weights, Adam's moments and global_step = 2" in caplog.text
    assert not has_moments(checkpoint.Reader(str(tmp_path)).shapes)
