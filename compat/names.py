"""The original's names: where they are found, and what has replaced others.

Imports nothing: a module finds its names on first use, so that `--help` stays
as fast as it is.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

# By module: where a name is, and how it is called there.
FOUND: Mapping[str, Mapping[str, str]] = {
    "create_pretraining_data": {
        name: f"compat.pretraining.{name}"
        for name in (
            "MaskedLmInstance",
            "TrainingInstance",
            "create_float_feature",
            "create_int_feature",
            "truncate_seq_pair",
            "write_instance_to_example_files",
        )
    },
    "extract_features": {
        "InputExample": "compat.features.InputExample",
        "InputFeatures": "compat.features.InputFeatures",
        "_truncate_seq_pair": "compat.sequences.truncate_seq_pair",
        "convert_examples_to_features": "compat.features."
        "convert_examples_to_features",
        "input_fn_builder": "compat.features.input_fn_builder",
        "read_examples": "compat.features.read_examples",
    },
    "run_classifier": {
        "_truncate_seq_pair": "compat.sequences.truncate_seq_pair",
    }
    | {
        name: f"data.text.tokenization.{name}"
        for name in ("BasicTokenizer", "FullTokenizer", "WordpieceTokenizer")
    }
    | {
        name: f"compat.classifier.{name}"
        for name in (
            "InputFeatures",
            "PaddingInputExample",
            "convert_examples_to_features",
            "convert_single_example",
            "file_based_convert_examples_to_features",
            "file_based_input_fn_builder",
            "input_fn_builder",
        )
    },
    "run_squad": {
        "_check_is_max_context": "compat.squad.check_is_max_context",
        "_compute_softmax": "tasks.squad.answers.softmax",
        "_get_best_indexes": "compat.squad.get_best_indexes",
        "_improve_answer_span": "compat.squad.improve_answer_span",
    }
    | {
        name: f"compat.squad.{name}"
        for name in (
            "FeatureWriter",
            "InputFeatures",
            "RawResult",
            "SquadExample",
            "convert_examples_to_features",
            "input_fn_builder",
        )
    },
}

# They built TF1 graphs or were parts of TF1's Estimator.
_COMPILE = "make a Keras model and compile it (docs/migrating.md)"
_CLASSIFIER = "bert.modeling.ClassifierModel(config, num_labels)"
_PRETRAINING = "bert.modeling.PretrainingModel(config)"

GONE: Mapping[str, Mapping[str, str]] = {
    "run_classifier": {
        "create_model": _CLASSIFIER,
        "model_fn_builder": _COMPILE,
    },
    "run_classifier_with_tfhub": {
        "create_model": _CLASSIFIER,
        "create_tokenizer_from_hub_module": "bert.tokenization.FullTokenizer "
        "with the vocab.txt in the module's assets",
        "model_fn_builder": _COMPILE,
    },
    "run_squad": {
        "create_model": "bert.modeling.SpanModel(config)",
        "model_fn_builder": _COMPILE,
    },
    "run_pretraining": {
        "gather_indexes": _PRETRAINING,
        "get_masked_lm_output": _PRETRAINING,
        "get_next_sentence_output": _PRETRAINING,
        "input_fn_builder": "bert.data.records.input_pipeline.train_batches",
        "model_fn_builder": "run_pretraining.py trains and evaluates",
    },
    "extract_features": {
        "model_fn_builder": "call bert.modeling.BertModel(config) and take "
        '"all_encoder_layers"',
    },
}


def attributes_of(module: str) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a module that has the original's names.

    Args:
        module: its name, less `bert.`.
    """

    def attribute(name: str) -> Any:
        path = FOUND.get(module, {}).get(name)
        if path is None:
            raise _missing(module, name)
        home, _, own_name = path.rpartition(".")
        return getattr(importlib.import_module(f"bert.{home}"), own_name)

    return attribute


def _missing(module: str, name: str) -> AttributeError:
    message = f"module 'bert.{module}' has no attribute {name!r}"
    if instead := GONE.get(module, {}).get(name):
        message += f", which was for TF1; instead: {instead}"
    return AttributeError(message, name=name)
