"""The matrix products of our own step alone, in TensorFlow as we run it.

The same shapes in the same order, and nothing else: no biases, activations,
softmax, normalization, transposition, dropout or update. As in our step, query,
key and value are one product, and the last layer has only the tokens that the
head reads. "peak" is one product of two large square matrices.
"""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bert.cli import environment

environment.prepare()

import sizes  # noqa: E402
import tensorflow as tf  # noqa: E402
import worker  # noqa: E402

SQUARE = 2048


class _Products:
    """Products that are noted, so that those of the backward pass can follow.

    Attributes:
        entries: a number of each result: what is asked for must be computed.
    """

    def __init__(self):
        self.entries = []
        self._noted = []

    def matmul(self, a, b, transpose_b=False):
        """Returns a product of the forward pass."""
        product = tf.matmul(a, b, transpose_b=transpose_b)
        self.entries.append(_entry(product))
        self._noted.append((a, b, transpose_b, product))
        return product

    def backward(self):
        """Computes the two products of each one noted, the last one first.

        The result itself stands for its gradient: it has the same shape. Two
        products are computed at a time, as in a step.
        """
        before = self.entries[-1:]
        for a, b, transpose_b, gradient in reversed(self._noted):
            with tf.control_dependencies(before):
                gradient = tf.identity(gradient)
            if transpose_b:
                of_a = tf.matmul(gradient, b)
                of_b = tf.matmul(gradient, a, transpose_a=True)
            else:
                of_a = tf.matmul(gradient, b, transpose_b=True)
                of_b = tf.matmul(a, gradient, transpose_a=True)
            before = [_entry(of_a), _entry(of_b)]
            self.entries += before


def _entry(x):
    return tf.reshape(x, [-1])[0]


class _Model:
    """The kernels of a cell's model, and its products."""

    def __init__(self, cell):
        self._cell = cell
        self._rows, self._length = cell["rows"], cell["length"]
        self._sizes = sizes.model(cell["model"])
        self._is_pretraining = cell["head"] == "pretraining"
        units, wide = self._sizes.units, self._sizes.intermediate
        # Attention without softmax makes values larger; here smaller again.
        scale = 1 / math.sqrt(64 * self._length)
        self._layers = [
            {
                "query": _kernel(units, units),
                "key_value": _kernel(units, 2 * units),
                "query_key_value": _kernel(units, 3 * units),
                "output": _kernel(units, units, scale),
                "wide": _kernel(units, wide),
                "narrow": _kernel(wide, units),
            }
            for _ in range(self._sizes.layers)
        ]
        self._pooler = _kernel(units, units)
        self._classifier = _kernel(units, sizes.NUM_LABELS)
        if self._is_pretraining:
            self._transform = _kernel(units, units)
            self._table = tf.Variable(
                tf.random.normal([sizes.VOCAB_SIZE, units])
            )
        self._input = tf.Variable(
            tf.random.normal([self._rows * self._length, units])
        )

    def forward(self):
        """Computes the products of the forward pass."""
        products = _Products()
        x = tf.convert_to_tensor(self._input)
        for layer in self._layers:
            # Each begins with the same numbers, when the one before it has
            # ended: without a softmax those of many layers grow without end.
            with tf.control_dependencies([_entry(x)]):
                x = tf.identity(self._input)
            is_last = layer is self._layers[-1]
            if is_last:
                chosen = x[: self._rows * sizes.tokens_read(self._cell)]
                query = products.matmul(chosen, layer["query"])
                key, value = tf.split(
                    products.matmul(x, layer["key_value"]), 2, axis=1
                )
            else:
                query, key, value = tf.split(
                    products.matmul(x, layer["query_key_value"]), 3, axis=1
                )
            query, key, value = map(self._split, (query, key, value))
            scores = products.matmul(query, key, transpose_b=True)
            context = products.matmul(scores, value)
            x = tf.reshape(context, [-1, self._sizes.units])
            for name in ("output", "wide", "narrow"):
                x = products.matmul(x, layer[name])
        if self._is_pretraining:
            masked = products.matmul(x[self._rows :], self._transform)
            products.matmul(masked, self._table, transpose_b=True)
        pooled = products.matmul(x[: self._rows], self._pooler)
        products.matmul(pooled, self._classifier)
        return products

    def _split(self, x):
        # Only the shape counts here: no transposition.
        heads = self._sizes.heads
        return tf.reshape(
            x, [self._rows, heads, -1, self._sizes.units // heads]
        )


def _kernel(inputs, outputs, scale=1.0):
    return tf.Variable(
        tf.random.normal([inputs, outputs], 0.0, scale / math.sqrt(inputs))
    )


def train_step(cell):
    """Makes the products of forward and backward."""
    model = _Model(cell)

    def run():
        products = model.forward()
        products.backward()
        return tf.add_n(products.entries)

    return _job(run)


def forward(cell):
    """Makes the products of forward."""
    model = _Model(cell)
    return _job(lambda: tf.add_n(model.forward().entries))


def peak(cell):
    """Makes the product of two large square matrices."""
    del cell
    left, right = (
        tf.Variable(tf.random.normal([SQUARE, SQUARE])) for _ in range(2)
    )
    return _job(lambda: _entry(tf.matmul(left, right)))


def _job(run):
    function = tf.function(run)

    def job(times):
        for _ in range(times):
            value = function()
        if not math.isfinite(float(value)):
            raise ValueError("The products are not finite.")

    return job


WORKS = {"train_step": train_step, "forward": forward, "peak": peak}

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow",))
