"""The functions of the original's modeling.py that need no TF1 graph.

For code written against it: names, arguments and messages are the original's.
The model itself uses none of them but `assert_rank`.
"""

import collections
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from bert.modeling import activations
from bert.modeling.config import HIDDEN_ACTS


def get_activation(activation_string: Any) -> Callable | None:
    """Returns the function of a name in any case, None for "linear" and "".

    What is not a string is returned as it is.

    Raises:
        ValueError: the name is not known.
    """
    if not isinstance(activation_string, str):
        return activation_string
    name = activation_string.lower()
    if name in ("", "linear"):
        return None
    if name not in HIDDEN_ACTS:
        raise ValueError(f"Unsupported activation: {name}")
    return activations.get_activation(name)


def get_assignment_map_from_checkpoint(
    tvars: Iterable[Any], init_checkpoint: str
) -> tuple[dict[str, str], dict[str, int]]:
    """Returns which variables a checkpoint has, by their names.

    Args:
        tvars: of TensorFlow or Keras.
        init_checkpoint: a prefix or a folder.

    Returns:
        The names, each to itself, in the checkpoint's order; and a dict with
        each name and `<name>:0`, to 1.
    """
    names = {
        re.sub(r":\d+$", "", getattr(v, "path", None) or v.name) for v in tvars
    }
    assignment_map = collections.OrderedDict(
        (name, name)
        for name, _ in tf.train.list_variables(init_checkpoint)
        if name in names
    )
    initialized = {
        found: 1 for name in assignment_map for found in (name, f"{name}:0")
    }
    return assignment_map, initialized


def dropout(input_tensor: tf.Tensor, dropout_prob: float | None) -> tf.Tensor:
    """Sets a random share of entries to 0 and scales the others up.

    Args:
        input_tensor: float, any shape.
        dropout_prob: share dropped; None or 0 for the tensor as it is.
    """
    if not dropout_prob:
        return input_tensor
    return tf.nn.dropout(input_tensor, rate=dropout_prob)


def create_initializer(
    initializer_range: float = 0.02,
) -> keras.initializers.Initializer:
    """Returns a truncated normal distribution of this standard deviation."""
    return keras.initializers.TruncatedNormal(stddev=initializer_range)


def get_shape_list(
    tensor: tf.Tensor,
    expected_rank: int | Sequence[int] | None = None,
    name: str | None = None,
) -> list[int | tf.Tensor]:
    """Returns the sizes, those known only when it runs as int32 scalars.

    Args:
        tensor: of any shape.
        expected_rank: see `assert_rank`; None: any.
        name: see `assert_rank`.
    """
    if expected_rank is not None:
        assert_rank(tensor, expected_rank, name)
    sizes = tensor.shape.as_list()
    return [
        tf.shape(tensor)[axis] if size is None else size
        for axis, size in enumerate(sizes)
    ]


def assert_rank(
    tensor: tf.Tensor,
    expected_rank: int | Sequence[int],
    name: str | None = None,
) -> None:
    """Checks how many dimensions a tensor has.

    Args:
        tensor: of any shape.
        expected_rank: a number, or several that are right.
        name: the tensor's, for the message.

    Raises:
        ValueError: it has another number.
    """
    ranks = [expected_rank] if isinstance(expected_rank, int) else expected_rank
    if tensor.shape.rank in ranks:
        return
    if name is None:
        name = "input" if tf.executing_eagerly() else tensor.name
    raise ValueError(
        f"For the tensor `{name}` in scope ``, the actual rank "
        f"`{tensor.shape.rank}` (shape = {tensor.shape}) is not equal to the "
        f"expected rank `{expected_rank}`"
    )


def reshape_to_matrix(input_tensor: tf.Tensor) -> tf.Tensor:
    """Returns [..., D] as [n, D]; a matrix as it is.

    Raises:
        ValueError: there are less than two dimensions.
    """
    if input_tensor.shape.rank < 2:
        raise ValueError(
            "Input tensor must have at least rank 2. Shape = "
            f"{input_tensor.shape}"
        )
    if input_tensor.shape.rank == 2:
        return input_tensor
    return tf.reshape(input_tensor, [-1, input_tensor.shape[-1]])


def reshape_from_matrix(
    output_tensor: tf.Tensor, orig_shape_list: Sequence[int | tf.Tensor]
) -> tf.Tensor:
    """Returns [n, D] in the shape that `reshape_to_matrix` was given.

    Args:
        output_tensor: a matrix of any width.
        orig_shape_list: that shape; its last size is not used.
    """
    if len(orig_shape_list) == 2:
        return output_tensor
    return tf.reshape(
        output_tensor, [*orig_shape_list[:-1], output_tensor.shape[-1]]
    )


def create_attention_mask_from_input_mask(
    from_tensor: tf.Tensor, to_mask: tf.Tensor
) -> tf.Tensor:
    """Returns which tokens each token may look at, float32 [B, F, T].

    Args:
        from_tensor: [B, F, ...].
        to_mask: int [B, T], 0 for tokens that none may look at.
    """
    ones = tf.ones(tf.shape(from_tensor)[:2], tf.float32)
    mask = tf.cast(to_mask, tf.float32)
    return ones[:, :, tf.newaxis] * mask[:, tf.newaxis, :]
