"""Steps of training, several in a call of a compiled function."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from bert.training.batches import Batches, read

# After so long a call begins no further step: signals wait until it ends.
_SECONDS = 0.125
# The operation that reads a batch, as errors name it.
_READING = "IteratorGetNext"

Figures = dict[str, tf.Tensor]
# Takes a step on a batch; returns float32 scalars.
Step = Callable[[Any], Figures]


class StepCalls:
    """Takes steps, in a call as many as begin within 0.125 s.

    A call takes a millisecond or two by itself, as long as the operations of a
    small model's step. One step a call where the step is no compiled function
    (several tasks), or TensorFlow does not read the batches for one device.

    Args:
        step: see `compile_train_step`.
        batches: endless.
        several: whether to take more than one step in a call. It takes longer
            to compile, half a second for three layers.
    """

    def __init__(self, step: Step, batches: Batches, several: bool):
        self._unreadable = batches.unreadable
        self._take: Callable[[tf.Tensor], Figures]
        if (
            several
            and isinstance(step, tf.types.experimental.PolymorphicFunction)
            and isinstance(batches.dataset, tf.data.Dataset)
        ):
            iterator = iter(batches.dataset)
            self._take = functools.partial(_several(step), iterator)
        else:
            self._take = functools.partial(_one, step, read(batches))

    def take(self, most: int) -> Figures:
        """Takes at least one step.

        Args:
            most: how many at most.

        Returns:
            The figures of the steps, float32 [steps taken] by name.

        Raises:
            UserError: a batch cannot be read.
        """
        errors, explain = self._unreadable
        try:
            return self._take(tf.constant(most))
        except errors as error:
            by_step = isinstance(error, tf.errors.OpError) and (
                _READING not in error.message
            )
            if by_step or explain is None:
                raise
            raise explain(error) from error


def _one(step: Step, batches: Iterator[Any], most: tf.Tensor) -> Figures:
    figures = step(next(batches))
    return {name: tf.expand_dims(v, 0) for name, v in figures.items()}


def _several(
    step: tf.types.experimental.PolymorphicFunction,
) -> Callable[[Iterator[Any], tf.Tensor], Figures]:
    """Returns a function that takes up to `most` steps on an iterator."""

    @tf.function(autograph=False)
    def call(batches: Iterator[Any], most: tf.Tensor) -> Figures:
        end = tf.timestamp() + _SECONDS
        names: list[str] = []

        def goes_on(taken, _):
            in_time = (taken == 0) | (tf.timestamp() < end)
            return (taken < most) & in_time

        def take(taken, rows):
            figures = step.python_function(next(batches))
            names[:] = figures
            row = tf.stack(list(figures.values()))
            return taken + 1, rows.write(taken, row)

        rows = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        taken, rows = tf.while_loop(
            goes_on, take, (tf.constant(0), rows), parallel_iterations=1
        )
        columns = tf.reshape(rows.stack(), [taken, len(names)])
        return dict(zip(names, tf.unstack(columns, axis=1), strict=True))

    return call
