"""What modeling.py of the original has for code that builds on tensors."""

import collections
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import activations


def get_activation(activation_string: Any) -> Any:
    """Returns the activation of that name; None for "linear", "" and None.

    Args:
        activation_string: a name in any case; anything else is returned.

    Raises:
        UserError: the name is not known.
    """
    if not isinstance(activation_string, str):
        return activation_string
    if activation_string.lower() in ("", "linear"):
        return None
    try:
        return activations.get_activation(activation_string)
    except UserError as error:
        name = activation_string.lower()
        raise UserError(f"Unsupported activation: {name}") from error


def get_assignment_map_from_checkpoint(
    tvars: Iterable[Any], init_checkpoint: str
) -> tuple[collections.OrderedDict[str, str], dict[str, int]]:
    """Returns which variables a checkpoint has.

    Args:
        tvars: what has a `name`.
        init_checkpoint: the checkpoint's prefix.

    Returns:
        The names that both have, in the order of the checkpoint, each with
        itself; and 1 for each `name` and `name:0`.
    """
    names = {
        variable.name.rpartition(":")[0] or variable.name: 1
        for variable in tvars
    }
    assignment_map: collections.OrderedDict[str, str] = (
        collections.OrderedDict()
    )
    initialized: dict[str, int] = {}
    for name, _ in tf.train.list_variables(init_checkpoint):
        if name in names:
            assignment_map[name] = name
            initialized |= {name: 1, f"{name}:0": 1}
    return assignment_map, initialized


def dropout(input_tensor: tf.Tensor, dropout_prob: float | None) -> tf.Tensor:
    """Drops entries; a tensor itself where the probability is None or 0.

    Args:
        input_tensor: float, any shape.
        dropout_prob: the chance of dropping.
    """
    if not dropout_prob:
        return input_tensor
    return tf.nn.dropout(input_tensor, dropout_prob)


def create_initializer(
    initializer_range: float = 0.02,
) -> keras.initializers.Initializer:
    """Returns what draws start weights, none further than two ranges from 0."""
    return keras.initializers.TruncatedNormal(stddev=initializer_range)


def create_attention_mask_from_input_mask(
    from_tensor: tf.Tensor, to_mask: tf.Tensor
) -> tf.Tensor:
    """Returns where a token may look, float32 [B, F, T].

    Args:
        from_tensor: [B, F, ...].
        to_mask: int [B, T].
    """
    to_mask = tf.cast(to_mask, tf.float32)[:, None, :]
    return tf.ones_like(from_tensor, tf.float32)[:, :, None] * to_mask


def get_shape_list(
    tensor: tf.Tensor,
    expected_rank: int | Sequence[int] | None = None,
    name: str | None = None,
) -> list[Any]:
    """Returns the sizes of a tensor: ints, and int32 tensors for unknown ones.

    Args:
        tensor: of known rank.
        expected_rank: see `assert_rank`; None: any.
        name: see `assert_rank`.

    Raises:
        ValueError: see `assert_rank`; or the rank is not known.
    """
    if expected_rank is not None:
        assert_rank(tensor, expected_rank, name)
    sizes = tensor.shape.as_list()
    if None not in sizes:
        return sizes
    dynamic = tf.shape(tensor)
    return [
        dynamic[axis] if size is None else size
        for axis, size in enumerate(sizes)
    ]


def assert_rank(
    tensor: tf.Tensor,
    expected_rank: int | Sequence[int],
    name: str | None = None,
) -> None:
    """Raises ValueError where a tensor has another rank.

    Args:
        tensor: the tensor.
        expected_rank: the rank, or all that may be.
        name: its name, for the message.
    """
    ranks = [expected_rank] if isinstance(expected_rank, int) else expected_rank
    if tensor.shape.ndims not in ranks:
        # A tensor outside of graphs has none.
        name = name or getattr(tensor, "name", None)
        raise ValueError(
            f"For the tensor `{name}` in scope ``, the actual rank "
            f"`{tensor.shape.ndims}` (shape = {tensor.shape}) is not equal to "
            f"the expected rank `{expected_rank}`"
        )


def reshape_to_matrix(input_tensor: tf.Tensor) -> tf.Tensor:
    """Returns a tensor as a matrix with its last axis; a matrix itself.

    Raises:
        ValueError: it has less than two axes.
    """
    ndims = input_tensor.shape.ndims
    if ndims < 2:
        raise ValueError(
            "Input tensor must have at least rank 2. "
            f"Shape = {input_tensor.shape}"
        )
    if ndims == 2:
        return input_tensor
    return tf.reshape(input_tensor, [-1, input_tensor.shape[-1]])


def reshape_from_matrix(
    output_tensor: tf.Tensor, orig_shape_list: Sequence[Any]
) -> tf.Tensor:
    """Undoes `reshape_to_matrix`.

    Args:
        output_tensor: [rows, width].
        orig_shape_list: the shape before; its last size is not looked at.
    """
    if len(orig_shape_list) == 2:
        return output_tensor
    width = get_shape_list(output_tensor)[-1]
    return tf.reshape(output_tensor, [*orig_shape_list[:-1], width])
