"""What is said when memory runs out."""

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.training import failures


def test_out_of_memory_says_what_was_asked_for_and_what_would_fit():
    with (
        pytest.raises(
            UserError, match=r"Out of memory \(OOM when .*2\^60.*Less is more"
        ),
        failures.explained(lambda: ["Less is more."]),
    ):
        raise tf.errors.ResourceExhaustedError(
            None, None, "Graph error:\nOOM when allocating 2^60 bytes\nmore"
        )


def test_a_full_disk_is_not_taken_for_full_memory():
    with (
        pytest.raises(tf.errors.ResourceExhaustedError),
        failures.explained(lambda: ["Less is more."]),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, "/x; No space left")


def test_memory_that_no_machine_has_is_explained():
    def allocate(x):
        return tf.broadcast_to(x, [2**24, 2**20])  # 64 TiB

    with (
        pytest.raises(UserError, match=r"Out of memory .* Less is more"),
        failures.explained(lambda: ["Less is more."]),
    ):
        tf.function(allocate)(tf.ones([]))
