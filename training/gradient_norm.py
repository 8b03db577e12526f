"""The original's norm of gradients where a table is only gathered from."""

from collections.abc import Sequence

import tensorflow as tf


class GradientNorm:
    """The global norm of gradients, which are made dense on the way to it.

    Where a table is only gathered from, its gradient comes as one row a token.
    The original clips by the norm of these rows as they are; rows of equal ids
    are added up afterwards.
    """

    def __init__(self) -> None:
        self._is_rows: list[bool] = []

    def densify(
        self, gradients: Sequence[tf.Tensor | tf.IndexedSlices]
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Returns the dense gradients, and the rows' sum of squares.

        Both may be added up, over parts of a batch or over replicas.
        """
        self._is_rows = [isinstance(g, tf.IndexedSlices) for g in gradients]
        # l2_loss is half the sum of squares, in one pass over memory.
        squares = [
            tf.nn.l2_loss(gradient.values)
            for gradient, rows in zip(gradients, self._is_rows, strict=True)
            if rows
        ]
        return (
            [tf.convert_to_tensor(gradient) for gradient in gradients],
            2.0 * tf.add_n(squares) if squares else tf.zeros([]),
        )

    def of(
        self, dense: Sequence[tf.Tensor], rows_square: tf.Tensor
    ) -> tf.Tensor:
        """Returns the global norm of what `densify` gave, float32 scalar."""
        squares = [
            tf.nn.l2_loss(gradient)
            for gradient, rows in zip(dense, self._is_rows, strict=True)
            if not rows
        ]
        return tf.sqrt(rows_square + 2.0 * tf.add_n(squares))
