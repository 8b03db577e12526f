import collections
import dataclasses
import logging
import math
import re

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.training import checkpointing, disk_space, head_check, moments
from bert.training.head_check import Start
from tests.modeling.backbones.test_bert import TINY
from tests.training.configs import training_config

Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def model():
    return head_check.check_model(
        Start(), lambda: ClassifierModel(TINY, 3), num_train_steps=9
    )


def check(folder, model, last_step, start=None, save_best=None, **values):
    values = {"output_dir": str(folder), "save_checkpoints_steps": 2} | values
    config = training_config(**values)
    config = dataclasses.replace(config, save_best=save_best)
    disk_space.check(config, model, start or Start(), last_step)


def save(folder, step, config, model):
    """Saves as a training with these flags does."""
    weights = checkpoint.named_variables(model)
    tensors = {
        **{name: tf.zeros(weight.shape) for name, weight in weights.items()},
        "global_step": tf.constant(step, dtype=tf.int64),
        **{
            name + suffix: tf.zeros(weight.shape)
            for name, weight in weights.items()
            for suffix in checkpoint.ADAM_SUFFIXES
        },
    }
    rest = moments.without(tensors)
    checkpointing.save(
        str(folder),
        step,
        rest if config.save_optimizer == "none" else tensors,
        checkpointing.RunState(1, step),
        config.keep_checkpoint_max,
    )
    if config.save_optimizer == "last":
        moments.drop_from_older(str(folder), rest)


@pytest.mark.parametrize("mode", ["all", "last", "none"])
@pytest.mark.parametrize("keep", [0, 1, 2])
def test_it_is_what_a_run_leaves(tmp_path, model, mode, keep):
    config = training_config(save_optimizer=mode, keep_checkpoint_max=keep)
    for step in range(3):
        save(tmp_path, step, config, model)
    needed = disk_space.need(config, model, saves=2, kept=1)
    sizes = [path.stat().st_size for path in tmp_path.glob("*.data-*")]
    assert needed.at_end == pytest.approx(sum(sizes), abs=8 * 3)
    assert needed.one == pytest.approx(max(sizes), abs=8)
    is_more = keep > 0 or mode == "last"
    assert needed.at_most == needed.at_end + is_more * needed.one


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "{4F} (4 x {W} + Adam's moments 4 x {M})"),
        (
            {"keep_checkpoint_max": 2, "save_best": "f1"},
            "{2F+W} (2 x {W} + Adam's moments 2 x {M} + the best {W}, "
            "{3F+W} while one is saved)",
        ),
        (
            {"save_optimizer": "last"},
            "{4W+M} (4 x {W} + Adam's moments 1 x {M}, "
            "{5W+2M} while one is saved)",
        ),
        ({"save_optimizer": "none"}, "{4W} (4 x {W})"),
    ],
)
def test_one_line_says_what_a_run_will_take(
    tmp_path, model, monkeypatch, caplog, values, expected
):
    def size(match):
        """Returns the size of, for example, {2F+W}."""
        parts = match[1].split("+")
        units = [sizes[part[-1]] * int(part[:-1] or 1) for part in parts]
        return disk_space.size(sum(units))

    weights = 4 * sum(math.prod(v.shape) for v in model.variables)
    sizes = {"W": weights, "M": 2 * weights, "F": 3 * weights}
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(9**13, 0, 9**11))
    out = tmp_path / "new/out"
    with caplog.at_level(logging.INFO):
        check(out, model, 5, **values)
    assert caplog.messages == [
        f"Checkpoints will take {re.sub(r'{(.*?)}', size, expected)} of disk "
        f"in {out}, where 31 GB are free."
    ]
    assert not out.exists()


def test_a_run_that_goes_on_has_some_of_it(
    tmp_path, model, monkeypatch, caplog
):
    config = training_config()
    for step in (2, 4):
        save(tmp_path, step, config, model)
    start = Start(checkpoint.Reader(str(tmp_path)), is_resumed=True)
    free = disk_space.need(config, model, saves=2, kept=0).at_end
    usage = Usage(9**13, 0, free + 99)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with caplog.at_level(logging.INFO):
        for last_step in (4, 7, 9):  # 4: nothing is left to train
            check(tmp_path, model, last_step, start)
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.INFO, logging.INFO, logging.WARNING]
    assert "(4 x " in caplog.messages[0]
    assert "(5 x " in caplog.messages[1]
    assert "lower --keep_checkpoint_max (5)" in caplog.text


@pytest.mark.parametrize(
    ("mode", "advice"),
    [
        ("all", r"disk \(--save_optimizer=none takes 5\.6 kB\)\."),
        ("none", r"disk\."),
    ],
)
def test_no_room_for_a_checkpoint_is_refused(
    tmp_path, model, monkeypatch, mode, advice
):
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(9**13, 0, 5000))
    with pytest.raises(UserError, match=rf"5\.0 kB are free; .*{advice}"):
        check(tmp_path, model, 5, save_optimizer=mode)
    check(tmp_path, model, 0)  # nothing is trained


@pytest.mark.parametrize("remote", [True, False])
def test_where_nobody_knows_the_room_nothing_is_said_of_it(
    tmp_path, model, monkeypatch, caplog, remote
):
    folder = "ram://out" if remote else str(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 0))
    with caplog.at_level(logging.INFO):
        check(folder, model, 5)
    (line,) = caplog.messages
    assert line.endswith(f"of disk in {folder}.")
