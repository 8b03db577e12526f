"""BERT in Keras 3 layers, and its checkpoints.

The names that code written for the original imports from here are found on
first use, so that `import modeling` needs no TensorFlow.
"""

import importlib

_MODULE_OF = {
    "BertConfig": "config",
    "BertModel": "backbones.bert",
    "ClassifierModel": "classifiers",
    "MultiLabelModel": "classifiers",
    "PretrainingModel": "heads",
    "RegressionModel": "classifiers",
    "SpanModel": "heads",
    "TokenModel": "heads",
    "assert_rank": "old_functions",
    "create_attention_mask_from_input_mask": "old_functions",
    "create_initializer": "old_functions",
    "dropout": "old_functions",
    "gelu": "activations",
    "get_activation": "old_functions",
    "get_assignment_map_from_checkpoint": "old_functions",
    "get_shape_list": "old_functions",
    "load_weights": "checkpoint",
    "reshape_from_matrix": "old_functions",
    "reshape_to_matrix": "old_functions",
}
# What built TF1 graphs, and what does its work.
_GONE = {
    "attention_layer": "bert.modeling.transformer.SelfAttention",
    "embedding_lookup": "bert.modeling.layers.Embeddings",
    "embedding_postprocessor": "bert.modeling.layers.Embeddings",
    "layer_norm": "keras.layers.LayerNormalization(epsilon=1e-12)",
    "layer_norm_and_dropout": "keras.layers.LayerNormalization(epsilon=1e-12)",
    "transformer_model": "BertModel",
}

__all__ = list(_MODULE_OF)


def __getattr__(name: str):
    if name not in _MODULE_OF:
        hint = (
            f"it built TF1 graphs; use {_GONE[name]}"
            if name in _GONE
            else "docs/python_api.md lists what there is"
        )
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; {hint}"
        )
    module = importlib.import_module(f"bert.modeling.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
