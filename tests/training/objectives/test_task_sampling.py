"""Whose turn it is, and what each task's loss is multiplied by."""

import pytest

from bert.errors import UserError
from bert.training.objectives.task_sampling import (
    Slope,
    TaskOrder,
    read_weights,
    weights_text,
)

SIZES = {"a": 900, "b": 90, "c": 10}


def order(sampling="proportional", *, epochs=1.0, steps=20000, seed=1):
    return TaskOrder(SIZES, sampling, epochs, steps, seed)


def shares(found, first, number):
    names = found.drawn(first, number)
    return [names.count(name) / number for name in SIZES]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ("proportional", [0.9, 0.09, 0.01]),
        ("uniform", [1 / 3, 1 / 3, 1 / 3]),
        ("sqrt", [0.7002, 0.2214, 0.0738]),
        ("annealed", [0.9, 0.09, 0.01]),  # one epoch: in proportion
    ],
)
def test_tasks_take_turns_by_their_sizes(sampling, expected):
    found = shares(order(sampling), 0, 20000)
    assert found == pytest.approx(expected, abs=0.012)


def test_annealed_exponents_fall_from_epoch_to_epoch():
    # 1, 0.6, 0.2 in the three epochs: 1 - 0.8 (e - 1) / (E - 1).
    found = order("annealed", epochs=2.5, steps=60000)
    for epoch, exponent in enumerate((1.0, 0.6, 0.2)):
        sizes = [size**exponent for size in SIZES.values()]
        expected = [size / sum(sizes) for size in sizes]
        part = shares(found, epoch * 20000, 20000)
        assert part == pytest.approx(expected, abs=0.012)


def test_the_order_is_one_of_the_seed_from_wherever_it_is_asked():
    whole = order().drawn(0, 300)
    assert order().drawn(100, 200) == whole[100:]
    assert order(seed=2).drawn(0, 300) != whole
    counts = order().counts(250)
    assert counts == {name: whole[:250].count(name) for name in SIZES}
    assert order().counts(0) == dict.fromkeys(SIZES, 0)


def test_the_order_is_not_that_of_the_list():
    turned = dict(reversed(SIZES.items()))
    listed = TaskOrder(turned, "proportional", 1.0, 20000, 1)
    assert listed.drawn(0, 300) == order().drawn(0, 300)


def test_the_order_is_the_same_on_every_machine():
    names = "".join(order("uniform").drawn(0, 24))
    assert names == "acaacacabaaccbababccccaa"


def test_batches_beyond_the_last_step_are_of_the_last_epoch():
    # Those of steps that float16 skipped.
    assert len(order("annealed", epochs=2, steps=10).drawn(8, 20)) == 20


def test_weights_are_read():
    found = read_weights("b:1>0.1, c:2", [*SIZES])
    assert found == {
        "a": Slope(1.0, 1.0),
        "b": Slope(1.0, 0.1),
        "c": Slope(2.0, 2.0),
    }
    assert set(read_weights(None, [*SIZES]).values()) == {Slope(1.0, 1.0)}


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a:",
        "a:x",
        "a:1>",
        "a:>1",
        "a:-1",
        "a:nan",
        "a:inf",
        "a:1,",
        "a:2e30",
    ],
)
def test_weights_must_be_such(text):
    with pytest.raises(UserError, match="NAME:WEIGHT or NAME:FIRST>LAST"):
        read_weights(text, [*SIZES])


@pytest.mark.parametrize(
    ("text", "fault"),
    [("d:1", "none of them"), (":1", "none of them"), ("a:1,a:2", "twice")],
)
def test_weights_are_of_each_task_once(text, fault):
    with pytest.raises(UserError, match=fault):
        read_weights(text, [*SIZES])


@pytest.mark.parametrize(
    ("text", "tasks", "fault"),
    [
        ("a:0,b:0>0", ["a", "b"], "nothing is learned"),
        ("a:2", ["a"], "is for several tasks"),
        ("b:2", ["a"], "none of them"),
    ],
)
def test_weights_leave_something_to_weigh(text, tasks, fault):
    with pytest.raises(UserError, match=fault):
        read_weights(text, tasks)


def test_a_weight_may_begin_or_end_with_nothing():
    found = read_weights("a:0>1,b:0", ["a", "b"])
    assert found == {"a": Slope(0.0, 1.0), "b": Slope(0.0, 0.0)}


@pytest.mark.parametrize("text", [None, "a:1,b:1>1", "b:0.1,a:2>0.25", "a:0"])
def test_the_same_weights_have_one_text(text):
    weights = read_weights(text, [*"ab"])
    said = weights_text(weights)
    assert read_weights(said, [*"ba"]) == weights
    assert said == weights_text(dict(reversed(weights.items())))
    assert bool(said) == any(w != (1, 1) for w in weights.values())
