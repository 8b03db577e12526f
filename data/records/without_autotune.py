"""Pipelines without tf.data's tuner."""

import tensorflow as tf


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Turns tf.data's tuner off for a dataset and all that is made of it.

    Stopping an iterator may wait for the tuner's next measurement, up to a
    minute later, and models take too long for there to be anything to tune.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
