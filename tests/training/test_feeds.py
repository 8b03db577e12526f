"""Where the batches of a training come from, and what is minimized."""

import types

import tensorflow as tf

from bert.training import steps
from bert.training.batches import Unreadable
from bert.training.checkpointing import RunState
from bert.training.feeds import Feed


def test_batches_are_made_from_where_a_run_stands():
    unreadable = Unreadable((ValueError,))
    feed = Feed(lambda state, context: (state, context), unreadable)
    state = RunState(seed=3, examples_seen=8)
    made = feed.batches(state, lambda make: make("worker"))
    assert made == ((state, "worker"), unreadable)


def test_an_objective_knows_the_model_and_what_is_done(monkeypatch):
    found = {}

    def compile_train_step(model, optimizer, settings, spec, scale, objective):
        found.update(model=model, spec=spec, objective=objective)
        return "step"

    monkeypatch.setattr(steps, "compile_train_step", compile_train_step)
    optimizer = types.SimpleNamespace(global_step=tf.Variable(2, dtype="int64"))
    settings = steps.StepSettings(seed=1, num_train_steps=8)
    given = ("model", optimizer, settings, "spec")
    feed = Feed(None, Unreadable(), lambda model, done: (model, done))
    assert feed.compile(*given) == "step"
    model, done = found["objective"]
    assert (found["model"], model, found["spec"]) == ("model", "model", "spec")
    assert done().numpy() == 0.25
    optimizer.global_step.assign(8)
    assert done().numpy() == 1.0
    Feed(None, Unreadable()).compile(*given)
    assert found["objective"] is None  # the model's own losses
