import dataclasses
import math

import pytest
import tensorflow as tf

from bert.files import task_paths
from bert.modeling import checkpoint
from bert.training import checkpointing
from bert.training.monitor import Monitor
from tests.training.configs import training_config

START = checkpointing.RunState(seed=1, examples_seen=0)


def config(output_dir, metric, early_stopping_patience=None):
    return dataclasses.replace(
        training_config(output_dir=str(output_dir)),
        eval_steps=1,
        save_best=metric,
        early_stopping_patience=early_stopping_patience,
    )


def follow(tmp_path, values, metric="f1", state=START, **settings):
    """Evaluates to each value in turn; returns the states after each."""
    weight = tf.Variable(0.0)
    figures = iter(values)
    monitor = Monitor(
        config(tmp_path, metric, **settings),
        lambda: {metric: next(figures), "other": 0.0},
        {"w": weight, "global_step": tf.Variable(0, dtype=tf.int64)},
    )
    states = []
    for step in range(1, len(values) + 1):
        weight.assign(step)
        state = monitor.evaluate(step, state)
        states.append(state)
        if monitor.is_exhausted(state):
            break
    return states


def best_step(tmp_path):
    """Returns the step whose weights are in best/, read from the weights."""
    reader = checkpoint.Reader(task_paths.best_folder(str(tmp_path)))
    return int(reader.read("w"))


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("f1", [0.1, 0.5, 0.5, 0.4], 2),
        ("eval_loss", [0.5, 0.1, 0.1, 0.4], 2),
        ("f1", [math.nan, 0.0, math.nan], 2),
        ("f1", [-0.5, -0.7], 1),
    ],
)
def test_the_best_weights_are_kept(tmp_path, metric, values, best):
    state = follow(tmp_path, values, metric)[-1]
    assert (state.best_metric, state.best_step) == (metric, best)
    assert state.best_value == values[best - 1]
    assert best_step(tmp_path) == best
    assert len(list((tmp_path / "best").glob("*.index"))) == 1


@pytest.mark.parametrize(
    ("figures", "best", "waited"),
    [
        # The better figure, then the lower loss, then the earlier step.
        ([(0.5, 0.3), (0.5, 0.2), (0.5, 0.2)], 2, 2),
        ([(0.5, 0.2), (0.5, 0.3), (0.6, 0.9)], 3, 0),
        ([(0.5, 0.2), (0.5, math.nan), (0.4, 0.1)], 1, 2),
        ([(0.5, None), (0.5, 0.1)], 1, 1),
        ([(0.5, 0.1), (0.5, None)], 1, 1),
    ],
)
def test_at_the_same_figure_the_lower_loss_is_the_best(
    tmp_path, figures, best, waited
):
    state, weight = START, tf.Variable(0.0)
    found = iter(
        {"f1": f1} | ({} if loss is None else {"eval_loss": loss})
        for f1, loss in figures
    )
    monitor = Monitor(
        config(tmp_path, "f1"), lambda: next(found), {"w": weight}
    )
    for step in range(1, len(figures) + 1):
        weight.assign(step)
        state = monitor.evaluate(step, state)
    assert (state.best_step, best_step(tmp_path)) == (best, best)
    assert state.best_loss == figures[best - 1][1]
    # A tie is nothing better: it puts off no early stop.
    assert state.evaluations_without_best == waited


def test_a_pretraining_has_its_loss_under_another_name(tmp_path):
    found = iter({"accuracy": 0.5, "loss": loss} for loss in (0.3, 0.2))
    monitor = Monitor(
        config(tmp_path, "accuracy"), lambda: next(found), {"w": tf.Variable(0)}
    )
    state = monitor.evaluate(2, monitor.evaluate(1, START))
    assert (state.best_step, state.best_loss) == (2, 0.2)


def test_training_ends_after_that_many_evaluations_without_a_better_one(
    tmp_path,
):
    values = [0.1, 0.0, 0.2, 0.2, 0.1, 0.3]
    states = follow(tmp_path, values, early_stopping_patience=2)
    assert len(states) == 5
    assert states[-1].evaluations_without_best == 2
    assert best_step(tmp_path) == 3


def test_without_patience_training_goes_on(tmp_path):
    assert len(follow(tmp_path, [0.1] * 6)) == 6


def test_a_run_that_resumes_decides_as_if_it_had_not_stopped(tmp_path):
    values = [0.1, 0.3, 0.2, 0.4]
    whole = follow(tmp_path / "whole", values)
    first = follow(tmp_path / "parts", values[:2])
    rest = follow(tmp_path / "parts", values[2:], state=first[-1])
    assert dataclasses.replace(rest[-1], best_step=4) == whole[-1]


def test_another_metric_starts_anew(tmp_path):
    state = follow(tmp_path, [0.9])[-1]
    state = follow(tmp_path, [5.0], "eval_loss", state)[-1]
    assert (state.best_metric, state.best_value) == ("eval_loss", 5.0)


def test_another_metric_counts_its_own_evaluations(tmp_path):
    states = follow(tmp_path, [0.9, 0.8, 0.7])
    assert states[-1].evaluations_without_best == 2
    state = follow(tmp_path, [math.nan], "eval_loss", states[-1])[-1]
    assert state.evaluations_without_best == 1
    assert state.best_metric is None


def test_a_metric_that_is_never_a_number_ends_the_training_too(tmp_path):
    values = [math.nan] * 5
    assert len(follow(tmp_path, values, early_stopping_patience=3)) == 3


def test_a_model_whose_loss_is_no_number_is_never_the_best(tmp_path):
    monitor = Monitor(
        config(tmp_path, "f1"),
        lambda: {"f1": 0.9, "eval_loss": math.nan},
        {"w": tf.Variable(0.0)},
    )
    assert monitor.evaluate(1, START).best_step is None
    assert not (tmp_path / "best").exists()
