import dataclasses
import logging

import pytest

from bert.errors import UserError
from bert.tasks import run_weights
from tests.conversion import run_folder
from tests.training.configs import training_config


@pytest.fixture(scope="module")
def run_dir(golden, tmp_path_factory):
    """A run with steps 7 and 9, and the best of step 8; not to be changed."""
    folder = tmp_path_factory.mktemp("out")
    model = run_folder.write(golden, folder, "ner")
    run_folder.save(folder, model, 9)
    run_folder.save(folder / "best", model, 8, best_metric="f1", best_value=1.0)
    return str(folder)


def make(output_dir, save_best=None, **values):
    values = {"do_train": False, "do_eval": True, **values}
    config = training_config(output_dir=str(output_dir), **values)
    return dataclasses.replace(config, save_best=save_best)


def step_of(prefix):
    return int(prefix.rpartition("-")[2])


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ({}, 8),
        ({"save_best": "f1"}, 8),
        ({"checkpoint": "newest"}, 9),
        ({"checkpoint": "newest", "save_best": "loss"}, 9),
        ({"checkpoint": "7"}, 7),
    ],
)
def test_a_run_uses_the_best_weights_unless_it_is_said(run_dir, values, step):
    config = make(run_dir, **values)
    start, used = run_weights.start(config), run_weights.used(config)
    assert start.is_resumed
    assert used.is_trained
    assert start.reader.prefix == used.prefix
    assert step_of(used.prefix) == step


@pytest.mark.parametrize(
    ("values", "step"), [({}, 8), ({"checkpoint": "newest"}, 9)]
)
def test_init_checkpoint_is_used_where_nothing_is_trained(
    run_dir, tmp_path, values, step
):
    config = make(tmp_path, init_checkpoint=run_dir, **values)
    start, used = run_weights.start(config), run_weights.used(config)
    assert not start.is_resumed
    assert not used.is_trained
    assert step_of(start.reader.prefix) == step_of(used.prefix) == step


def test_best_weights_alone_are_enough_to_use_them(run_dir, tmp_path):
    (tmp_path / "best").symlink_to(f"{run_dir}/best")
    assert step_of(run_weights.used(make(tmp_path)).prefix) == 8


@pytest.mark.parametrize("wanted", [None, "newest", "best"])
def test_training_goes_on_from_the_newest(run_dir, wanted, caplog):
    config = make(
        run_dir, do_train=True, init_checkpoint=run_dir, checkpoint=wanted
    )
    start = run_weights.start(config)
    assert step_of(start.reader.prefix) == 9
    assert start.is_resumed
    with caplog.at_level(logging.INFO):
        assert run_weights.with_start(config) == config
    assert not caplog.messages


def test_no_training_begins_in_the_folder_of_one_of_several_tasks(tmp_path):
    (tmp_path / "checkpoint").touch()
    folder = tmp_path / "tasks/mrpc"
    with pytest.raises(UserError, match=r"one task's folder .*#mrpc\.$"):
        run_weights.start(make(folder, do_train=True))
    (tmp_path / "checkpoint").unlink()
    assert run_weights.start(make(folder, do_train=True)).reader is None


def test_training_starts_from_the_best_of_a_run(run_dir, tmp_path, caplog):
    config = make(tmp_path, do_train=True, init_checkpoint=run_dir)
    assert step_of(run_weights.start(config).reader.prefix) == 8
    with caplog.at_level(logging.INFO):
        found = run_weights.with_start(config).init_checkpoint
    assert step_of(found) == 8
    assert "best/model.ckpt-8: the best by f1" in caplog.text


def test_training_needs_no_checkpoint(tmp_path):
    config = make(tmp_path / "new", do_train=True)
    assert run_weights.start(config).reader is None
    assert run_weights.with_start(config) is config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"output_dir": "x"}, r"There is no trained model: no check.*=x and"),
        ({"output_dir": "x", "save_best": "f1"}, "There is no trained model"),
        ({"save_best": "loss"}, r"=loss in .*best\. Rec.* those by f1; leave"),
        (
            {"output_dir": "x", "init_checkpoint": "", "save_best": "f1"},
            r"=f1 in x/best\. Received: none; leave",
        ),
        ({"init_checkpoint": "no/such"}, "No checkpoint found"),
        ({"checkpoint": "10"}, r"--checkpoint=10\. .*: best/model\.ckpt-8, mo"),
        (
            {"output_dir": "x", "init_checkpoint": "", "checkpoint": "best8"},
            r"--checkpoint=best8\. .*: best/model\.ckpt-8, model",
        ),
        (
            {"output_dir": "x", "do_train": True, "checkpoint": "best"},
            "best needs best weights, which a training with --save_best",
        ),
        ({"do_train": True, "checkpoint": "7"}, "must be best or newest. Rec"),
        ({"do_train": True, "checkpoint": "x"}, "must be best or newest. Rec"),
        (
            {"do_train": True, "do_eval": False, "checkpoint": "newest"},
            "for a command that only trains; to start",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(
    run_dir, tmp_path, monkeypatch, values, message
):
    monkeypatch.chdir(tmp_path)
    if values.get("init_checkpoint") == "":
        values = {**values, "init_checkpoint": run_dir}
    with pytest.raises(UserError, match=message) as raised:
        run_weights.start(make(**{"output_dir": run_dir, **values}))
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_one_of_several_tasks_is_named_by_the_run_around(tmp_path):
    (tmp_path / "tasks/rte").mkdir(parents=True)
    (tmp_path / "checkpoint").touch()
    with pytest.raises(UserError, match=rf"of several give {tmp_path}#rte\.$"):
        run_weights.start(make(tmp_path / "tasks/rte"))
