import math

import tensorflow as tf

from bert.training.interval import Interval, all_finite


def interval(*losses):
    found = Interval(10)
    for loss in losses:
        found.add({"loss": tf.constant([loss]), "norm": tf.constant([1.0])})
    return found


def test_means_are_over_the_steps_since_the_last_finish():
    found = interval(1.0, 4.0)
    assert found.finish(12)[0] == {"loss": 2.5, "norm": 1.0}
    found.add({"loss": tf.constant([7.0, 8.0])})
    assert found.means() == {"loss": 7.5}


def test_the_first_step_that_is_not_finite_is_named():
    assert interval(1.0, 2.0).first_not_finite() is None
    assert interval().first_not_finite() is None
    bad = interval(1.0, math.inf, math.nan).first_not_finite()
    assert bad.step == 12
    assert bad.figures == {"loss": math.inf, "norm": 1.0}
    found = interval(1.0)
    found.add({"loss": tf.constant([1.0, math.inf, math.nan])})
    assert found.first_not_finite() == (13, {"loss": math.inf})


def test_time_that_is_left_out_does_not_slow_the_pace():
    found = interval(1.0)
    found.leave_out(-1000.0)  # as if a thousand seconds had passed
    assert found.finish(11)[1] < 0.0011
    found.leave_out(0.0)
    assert found.finish(12)[1] > 0.0011


def test_steps_before_the_clock_starts_are_not_in_the_pace():
    found = interval(1.0)
    found.leave_out(-1000.0)  # it compiled
    found.start_clock(11)
    assert found.finish(11) == ({"loss": 1.0, "norm": 1.0}, None)
    found = interval(1.0, 3.0)
    found.leave_out(-1000.0)
    found.start_clock(11)
    means, pace = found.finish(12)
    assert means["loss"] == 2.0  # of both
    assert pace > 0.0011


def test_nan_and_infinity_are_not_finite():
    assert all_finite({"a": 1.0, "b": tf.constant(2.0)})
    assert not all_finite({"a": 1.0, "b": tf.constant(math.nan)})
    assert not all_finite({"a": math.inf})
