"""The pipeline of several tasks: what it checks, and what it says of all."""

import json
import types

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.tasks import finetune, spec
from bert.tasks.multitask import training
from bert.training import checkpointing
from bert.training.head_check import Start
from bert.training.objectives.task_sampling import read_weights
from tests.modeling.test_multitask_model import saved as saved


def task(name, kind=None, metrics=("loss",)):
    return types.SimpleNamespace(
        spec=spec.find(name, kind), metric_names=lambda: metrics
    )


TASKS = {
    "a": task("classification", "classification"),
    "span": task("squad"),
    "mlm": task("pretraining"),
}


def test_the_mean_is_of_first_figures_and_not_of_masked_words():
    joined = training._joined(
        TASKS,
        {
            "a": {"loss": 3.0, "f1": 0.5, "eval_accuracy": 0.75},
            "span": {"exact_match": 10.0, "f1": 25.0, "best": "a text"},
            "mlm": {"masked_lm_loss": 2.0, "masked_lm_accuracy": 0.9},
        },
    )
    assert joined["mean"] == (0.75 + 0.25) / 2
    assert joined["span/f1"] == 25.0
    assert joined["mlm/masked_lm_accuracy"] == 0.9
    assert joined["span/best"] == "a text"


def test_masked_words_alone_have_a_mean():
    two = {"x": TASKS["mlm"], "y": TASKS["mlm"]}
    figures = {"masked_lm_accuracy": 0.5, "masked_lm_loss": 2.0}
    assert training._joined(two, {"x": figures, "y": figures})["mean"] == 0.5


def test_without_figures_there_is_no_mean():
    assert training._joined(TASKS, {"a": {}}) == {}


def test_metrics_have_their_tasks_names():
    tasks = {"a": task("squad", None, ("f1", "loss")), "b": TASKS["a"]}
    assert training._metric_names(tasks) == ["mean", "a/f1", "a/loss", "b/loss"]


@pytest.mark.parametrize(
    ("is_resumed", "do_train"), [(True, True), (False, False)]
)
def test_a_task_that_is_not_there_is_told(saved, is_resumed, do_train):
    start = Start(checkpoint.Reader(saved), is_resumed)
    config = types.SimpleNamespace(do_train=do_train, output_dir="out")
    with pytest.raises(UserError, match=r"no task x, but a, b\.1, mlm, span"):
        training._start_of(start, "x", TASKS["a"], config)


def test_a_new_task_may_join_a_model_and_old_ones_keep_their_heads(saved):
    start = Start(checkpoint.Reader(saved))
    config = types.SimpleNamespace(do_train=True, output_dir="out")
    joins = training._start_of(start, "x", TASKS["a"], config)
    assert joins.num_outputs is None
    known = training._start_of(start, "b.1", TASKS["a"], config)
    assert known.num_outputs == 3
    words = training._start_of(start, "mlm", TASKS["mlm"], config)
    assert words.num_outputs == 11  # a bias for each word


def test_a_run_that_goes_on_loses_no_task(saved):
    start = Start(checkpoint.Reader(saved), True)
    training._check_all_there(start, dict.fromkeys(["a", "b.1", "mlm", "span"]))
    with pytest.raises(UserError, match="has the task mlm, which --tasks lack"):
        training._check_all_there(start, dict.fromkeys(["a", "b.1", "span"]))


def save(folder):
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    state = checkpointing.RunState(1, 32)
    checkpointing.save(str(folder), 4, tensors, state)


def test_a_run_that_goes_on_tells_other_turns_and_weights(tmp_path, caplog):
    kept = []
    tasks = {
        name: types.SimpleNamespace(keep=lambda name=name: kept.append(name))
        for name in "ba"
    }

    def keep(sampling, weights):
        caplog.clear()
        config = types.SimpleNamespace(
            output_dir=str(tmp_path), task_sampling=sampling
        )
        weights = read_weights(weights, [*tasks])
        training._Run(config, tasks, weights, None)._keep()
        return caplog.messages

    assert not keep("annealed", None)
    save(tmp_path)
    assert not keep("annealed", "a:1")
    assert keep("sqrt", "a:1>0.1") == [
        f"The run in {tmp_path} goes on with another task_sampling "
        '("annealed" before, "sqrt" now), task_weights ("" before, '
        '"a:1.0>0.1" now).'
    ]
    assert kept == [*"bababa"]
    assert json.loads((tmp_path / "resume.json").read_text()) == {
        "tasks": ["a", "b"],
        "task_sampling": "sqrt",
        "task_weights": "a:1.0>0.1",
    }


def test_best_weights_of_an_earlier_run_would_pass_for_the_new_ones(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(finetune, "check_weights", lambda *_: None)
    (tmp_path / "best").mkdir()
    save(tmp_path / "best")
    config = types.SimpleNamespace(do_train=True, output_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"best/model\.ckpt-4, and no check"):
        training._check_model(config, {}, Start(), None)
    save(tmp_path)
    training._check_model(config, {}, Start(), None)
