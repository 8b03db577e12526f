"""BERT in Keras 3 layers, and its checkpoints.

The names that code written for the original imports from here are found on
first use, so that `import modeling` needs no TensorFlow.
"""

import importlib

_MODULE_OF = {
    "BertConfig": "config",
    "BertModel": "backbones.bert",
    "gelu": "activations",
    "get_activation": "activations",
    "load_weights": "checkpoint",
}

__all__ = ["BertConfig", "BertModel", "gelu", "get_activation", "load_weights"]


def __getattr__(name: str):
    if name not in _MODULE_OF:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; what the original "
            "has there to build TF1 graphs is gone (docs/differences.md)"
        )
    module = importlib.import_module(f"bert.modeling.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
