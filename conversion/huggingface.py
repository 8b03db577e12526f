"""A Hugging Face BERT folder → a folder as the original's models come in."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from conversion import huggingface_names as names
from conversion import model_folder, safetensors_files
from conversion.json_files import read_json
from conversion.safetensors_files import Tensors
from conversion.vocabulary import read_vocabulary
from errors import UserError
from modeling.config import BertConfig
from training import resume

_HF_CONFIG = "config.json"
_HF_WEIGHTS = safetensors_files.WEIGHTS


class _Source(NamedTuple):
    """A weight, and the tensors (mostly one) that give its value."""

    weight: names.Weight
    tensors: Sequence[str]


def to_original(
    input_dir: str, output_dir: str, overwrite: bool = False
) -> None:
    """Converts a folder; everything is checked before anything is written.

    Args:
        input_dir: holds `config.json`, `model.safetensors` (or shards) and
            `vocab.txt` (or `tokenizer.json`); or is the one folder above it.
        output_dir: gets `bert_model.ckpt.*`, `bert_config.json` and
            `vocab.txt`.
        overwrite: whether those may be there already.

    Raises:
        UserError: a file is missing or wrong, or the model is none that
            BertModel computes.
    """
    folder = find_folder(input_dir)
    model_folder.check(output_dir, overwrite)
    config_path = os.path.join(folder, _HF_CONFIG)
    values = read_json(config_path)
    try:
        config = names.config_from_hf(values)
    except UserError as error:
        raise UserError(f"{config_path}: {error}") from error
    _warn_of_epsilon(values, config_path)
    vocab = read_vocabulary(folder, config.vocab_size)
    try:
        tensors = read_weights(Tensors(folder), config)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from error
    resume.prepare_output_dir(output_dir)
    model_folder.write(output_dir, tensors, config, vocab)
    logging.info("Wrote %d tensors to %s", len(tensors), output_dir)


def find_folder(input_dir: str) -> str:
    """Returns the folder with the model: input_dir or the one inside it.

    Python packages of models keep it a level down.

    Raises:
        UserError: there is none, or several.
    """
    if not os.path.isdir(input_dir):
        state = "a file" if os.path.exists(input_dir) else "not there"
        raise UserError(
            f"Expected the folder of a Hugging Face model ({_HF_CONFIG}, "
            f"{_HF_WEIGHTS}, vocab.txt). Received: --input_dir={input_dir}, "
            f"which is {state}."
        )
    if os.path.exists(os.path.join(input_dir, _HF_CONFIG)):
        return input_dir
    inside = [
        entry.path
        for entry in os.scandir(input_dir)
        if os.path.exists(os.path.join(entry.path, _HF_CONFIG))
        and safetensors_files.has_weights(entry.path)
    ]
    if len(inside) != 1:
        found = ", ".join(sorted(os.listdir(input_dir))[:8]) or "nothing"
        raise UserError(
            f"Expected {_HF_CONFIG} in --input_dir={input_dir}, or in one "
            f"folder there. Received a folder with: {found}."
        )
    logging.info("The model is in %s", inside[0])
    return inside[0]


def read_weights(tensors: Tensors, config: BertConfig) -> dict[str, np.ndarray]:
    """Returns a Hugging Face model's weights as the original has them.

    Tensors that BERT and its heads of pre-training do not have are named in a
    warning; so are parts that the model lacks.

    Args:
        tensors: the model's.
        config: its sizes.

    Returns:
        float32, by the names in the original's checkpoints.

    Raises:
        UserError: a weight is missing, of another shape, or there twice with
            different values; or the encoder has weights that BERT has not.
    """
    sources = _match(tensors, config)
    for weight, found in sources:
        for name in found:
            if tensors.shapes[name] != weight.hf_shape:
                raise UserError(
                    f"{name} must be {list(weight.hf_shape)} by {_HF_CONFIG}. "
                    f"Received: {list(tensors.shapes[name])}."
                )
    return {source.weight.name: _value(source, tensors) for source in sources}


def _match(tensors: Tensors, config: BertConfig) -> list[_Source]:
    """Finds the tensors of each weight; reports what has no partner."""
    given: dict[str, list[str]] = {}
    for name in sorted(tensors.shapes):
        present = names.present_name(name)
        if present:
            given.setdefault(present, []).append(name)
    _check_layers(given, config)
    sources = []
    for part, weights in names.weights_by_part(config).items():
        found = [
            _Source(weight, given.pop(weight.hf_name))
            for weight in weights
            if weight.hf_name in given
        ]
        if found or part == names.ENCODER:
            _check_whole(part, weights, found)
            sources += found
        else:
            logging.warning(
                "The model has no %s; training starts it afresh.", part
            )
    _report_unknown([name for group in given.values() for name in group])
    return sources


def _check_layers(given: Iterable[str], config: BertConfig) -> None:
    """Raises UserError if config.json is of another depth.

    Before the table of its weights is made, which could be endless.
    """
    num_layers = names.count_layers(given)
    if num_layers != config.num_hidden_layers:
        raise UserError(
            f"{_HF_WEIGHTS} must have tensors of {config.num_hidden_layers} "
            f"layers by num_hidden_layers in {_HF_CONFIG} "
            f"(bert.encoder.layer.0, …). Received: {num_layers}; does "
            f"{_HF_CONFIG} belong to it?"
        )


def _check_whole(
    part: str, weights: Sequence[names.Weight], found: Sequence[_Source]
) -> None:
    missing = sorted(
        {weight.hf_name for weight in weights}
        - {source.weight.hf_name for source in found}
    )
    if missing:
        raise UserError(
            f"{_HF_WEIGHTS} lacks {len(missing)} of the {part}'s "
            f"{len(weights)} tensors, such as {missing[0]}; does {_HF_CONFIG} "
            "belong to it?"
        )


def _report_unknown(unknown: Sequence[str]) -> None:
    foreign = [
        name
        for name in unknown
        if names.present_name(name).startswith(
            ("bert.encoder.", "bert.embeddings.")
        )
    ]
    if foreign:
        raise UserError(
            f"{_HF_WEIGHTS} has {len(foreign)} tensors in the encoder that "
            f"BERT with these sizes has not, such as {foreign[0]}; does "
            f"{_HF_CONFIG} belong to it?"
        )
    if unknown:
        logging.warning(
            "%d unknown tensors are not converted: %s",
            len(unknown),
            ", ".join(unknown),
        )


def _value(source: _Source, tensors: Tensors) -> np.ndarray:
    weight, (first, *others) = source
    value = tensors.read(first)
    for other in others:
        if not np.array_equal(value, tensors.read(other)):
            raise UserError(
                f"{first} and {other} must be equal, as the original has one "
                f"weight for both ({weight.name}); they differ. This model "
                "cannot be converted."
            )
    return np.ascontiguousarray(value.T) if weight.transposed else value


def _warn_of_epsilon(values: Mapping[str, Any], path: str) -> None:
    epsilon = values.get("layer_norm_eps", names.LAYER_NORM_EPSILON)
    if epsilon != names.LAYER_NORM_EPSILON:
        logging.warning(
            "%s has layer_norm_eps %s, the original always %s: outputs will "
            "differ a little.",
            path,
            epsilon,
            names.LAYER_NORM_EPSILON,
        )
