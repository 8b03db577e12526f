"""BERT in Keras 3 layers, and its checkpoints.

The names that code written for the original imports from here are found on
first use, so that `import modeling` needs no TensorFlow.
"""

from bert.compat import names

__getattr__ = names.attributes_of("modeling")


def __dir__() -> list[str]:
    return sorted({*globals(), *names.FOUND["modeling"]})
