"""The original's module name, for code written against it.

`training.keras_optimizer` holds the code. Its names are found on first use, so
that the import needs no TensorFlow.
"""

import importlib

_NAMES = ("AdamWeightDecayOptimizer", "create_optimizer")
__all__ = list(_NAMES)


def __getattr__(name: str):
    if name not in _NAMES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; it has the Keras "
            "optimizers create_optimizer(init_lr, num_train_steps, "
            "num_warmup_steps) and AdamWeightDecayOptimizer, for model.compile"
        )
    module = importlib.import_module("bert.training.keras_optimizer")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
