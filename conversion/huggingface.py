"""A Hugging Face BERT folder → a folder as the original's models come in."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import safetensors
import tensorflow as tf
from absl import logging

import atomic_files
from conversion import huggingface_names as names
from conversion.vocabulary import read_vocabulary
from errors import UserError
from modeling import checkpoint
from modeling.config import BertConfig
from training import resume

CHECKPOINT = "bert_model.ckpt"
CONFIG = "bert_config.json"
VOCAB = "vocab.txt"
_HF_CONFIG = "config.json"
_HF_WEIGHTS = "model.safetensors"
_HF_INDEX = "model.safetensors.index.json"

_FLOATS = ("F16", "BF16", "F32", "F64")


class Tensors:
    """The tensors of a folder's safetensors files, by name.

    Args:
        folder: holds `model.safetensors`, or several files and
            `model.safetensors.index.json`.

    Attributes:
        shapes: by name.

    Raises:
        UserError: a file is missing or damaged.
    """

    def __init__(self, folder: str):
        self._file_of = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._dtypes: dict[str, str] = {}
        for path in _weight_files(folder):
            file = _open(path)
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                entry = file.get_slice(name)
                self._file_of[name] = file
                self.shapes[name] = tuple(entry.get_shape())
                self._dtypes[name] = entry.get_dtype()

    def read(self, name: str) -> np.ndarray:
        """Returns a tensor as float32.

        Raises:
            UserError: its numbers are no floats.
        """
        if self._dtypes[name] not in _FLOATS:
            raise UserError(
                f"{name} must hold floating-point numbers. "
                f"Received: {self._dtypes[name]}."
            )
        # NumPy knows bfloat16 from the package ml_dtypes, which TensorFlow
        # imports.
        return self._file_of[name].get_tensor(name).astype(np.float32)


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
    _check_output(output_dir, overwrite)
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
    _write(output_dir, tensors, config, vocab)
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
            f"{_HF_WEIGHTS}, {VOCAB}). Received: --input_dir={input_dir}, "
            f"which is {state}."
        )
    if os.path.exists(os.path.join(input_dir, _HF_CONFIG)):
        return input_dir
    inside = [
        entry.path
        for entry in os.scandir(input_dir)
        if os.path.exists(os.path.join(entry.path, _HF_CONFIG))
        and _has_weights(entry.path)
    ]
    if len(inside) != 1:
        found = ", ".join(sorted(os.listdir(input_dir))[:8]) or "nothing"
        raise UserError(
            f"Expected {_HF_CONFIG} in --input_dir={input_dir}, or in one "
            f"folder there. Received a folder with: {found}."
        )
    logging.info("The model is in %s", inside[0])
    return inside[0]


def read_json(path: str) -> dict[str, Any]:
    """Reads a JSON object, or raises UserError."""
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(values, dict):
        raise UserError(
            f"{path} must hold a JSON object. Received: "
            f"{type(values).__name__}."
        )
    return values


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


def _weight_files(folder: str) -> list[str]:
    """Returns the paths of the files that hold the weights."""
    single = os.path.join(folder, _HF_WEIGHTS)
    if os.path.exists(single):
        return [single]
    index = os.path.join(folder, _HF_INDEX)
    if os.path.exists(index):
        files = read_json(index).get("weight_map")
        if not isinstance(files, Mapping) or not all(
            isinstance(name, str) and os.path.basename(name) == name
            for name in files.values()
        ):
            raise UserError(
                f"{index} must hold a weight_map, tensor → name of a file "
                "beside it."
            )
        return [
            os.path.join(folder, name) for name in sorted({*files.values()})
        ]
    if os.path.exists(os.path.join(folder, "pytorch_model.bin")):
        raise UserError(
            f"Expected {single}. Received a folder with pytorch_model.bin "
            "only, a pickle, which can run any code when it is read; where "
            "you trust it, load it with transformers and write it again with "
            "model.save_pretrained(folder, safe_serialization=True)."
        )
    found = ", ".join(sorted(os.listdir(folder))[:8])
    raise UserError(f"Expected {single}. Received a folder with: {found}.")


def _has_weights(folder: str) -> bool:
    return any(
        os.path.exists(os.path.join(folder, name))
        for name in (_HF_WEIGHTS, _HF_INDEX, "pytorch_model.bin")
    )


def _open(path: str) -> safetensors.safe_open:
    try:
        if not os.path.isfile(path):
            raise UserError(
                f"Expected a file of weights at {path}; it is none."
            )
        return safetensors.safe_open(path, framework="np")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error}.") from error
    except safetensors.SafetensorError as error:
        raise UserError(
            f"{path} is truncated, damaged or no safetensors file "
            f"({os.path.getsize(path)} bytes; {error}); get it again."
        ) from error


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


def _check_output(output_dir: str, overwrite: bool) -> None:
    if os.path.exists(output_dir) and not os.path.isdir(output_dir):
        raise UserError(f"--output_dir={output_dir} is a file, not a folder.")
    checkpoint_files = (".index", checkpoint.DATA_SUFFIX)
    files = (
        *(CHECKPOINT + suffix for suffix in checkpoint_files),
        CONFIG,
        VOCAB,
    )
    there = [
        name
        for name in files
        if tf.io.gfile.exists(os.path.join(output_dir, name))
    ]
    if there and not overwrite:
        raise UserError(
            f"--output_dir={output_dir} holds a model already "
            f"({', '.join(there)}); name another folder, or pass --overwrite."
        )


def _write(
    output_dir: str,
    tensors: Mapping[str, np.ndarray],
    config: BertConfig,
    vocab: bytes,
) -> None:
    """Writes the three; the checkpoint's index, which makes it one, last."""
    prefix = os.path.join(output_dir, CHECKPOINT)
    with contextlib.ExitStack() as stack:

        def temporary(path: str) -> str:
            return stack.enter_context(atomic_files.replacing(path))

        # Renamed in the opposite order, at the end.
        index = temporary(prefix + ".index")
        temporary(prefix + checkpoint.DATA_SUFFIX)
        vocab_file = temporary(os.path.join(output_dir, VOCAB))
        config_file = temporary(os.path.join(output_dir, CONFIG))
        checkpoint.write_files(index.removesuffix(".index"), tensors)
        with tf.io.gfile.GFile(vocab_file, "wb") as file:
            file.write(vocab)
        with tf.io.gfile.GFile(config_file, "w") as file:
            file.write(config.to_json_string())
        if tf.io.gfile.exists(prefix + ".index"):
            # The old index must not stand beside the new data for a moment.
            tf.io.gfile.remove(prefix + ".index")
