"""Reads a Hugging Face BERT folder."""

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from absl import logging

from bert.conversion import (
    huggingface_config,
    tokenizer_files,
    tokenizer_kind,
    vocabulary,
)
from bert.conversion import huggingface_names as names
from bert.conversion.json_files import read_json
from bert.conversion.model import Model, choose_weights, make_task
from bert.conversion.safetensors_files import WEIGHTS, Tensors
from bert.errors import UserError
from bert.modeling import checkpoint_names
from bert.modeling.config import BertConfig

CONFIG = "config.json"

# The tensors of a file by the name that the tables have; mostly one each.
_Given = Mapping[str, Sequence[str]]


def read(
    folder: str,
    task: str | None = None,
    vocab_file: str | None = None,
    do_lower_case: bool | None = None,
    force: bool = False,
) -> Model:
    """Reads a model; what it has and we have not is named in a warning.

    Args:
        folder: holds `config.json`, `model.safetensors` (or shards) and
            `vocab.txt` (or `tokenizer.json`).
        task: one of `spec.TASKS`; None: what the architecture and the
            tensors say.
        vocab_file: instead of the folder's.
        do_lower_case: whether text is lower-cased; None: what the folder says.
        force: whether to convert the weights where the tokenizer, or part of
            the encoder, is not BERT's.

    Raises:
        UserError: a file is missing or wrong, or the model is none that
            BertModel computes.
    """
    config_path = os.path.join(folder, CONFIG)
    values = read_json(config_path)
    try:
        config = huggingface_config.to_original(values)
    except UserError as error:
        raise UserError(f"{config_path}: {error}") from error
    huggingface_config.warn_of_epsilon(values, config_path)
    settings = tokenizer_files.read_settings(folder)
    if vocab_file:
        vocab = vocabulary.read_file(vocab_file, config.vocab_size)
    else:
        lower = settings.do_lower_case
        vocab = vocabulary.read_folder(
            folder,
            config.vocab_size,
            lower if do_lower_case is None else do_lower_case,
        )
    tokenizer_kind.check(folder, force)
    tensors = Tensors(folder)
    given = _by_present_name(tensors.shapes)
    try:
        _check_layers(given, config)
        num_rows = _rows_of_heads(given, tensors)
        head = huggingface_config.find_head(values, num_rows, task)
        num_labels = num_rows[head.huggingface_head] if head else 0
        labels = huggingface_config.labels_of(values, head, num_labels)
        row, chosen = choose_weights(
            *(config, task, head, num_labels, given),
            name_of=lambda weight: weight.hf_name,
            source=WEIGHTS,
            force=force,
        )
        if "model_type" not in values:
            _check_all_are_berts(given, config, config_path)
        has_masked_lm = any("cls/predictions/" in w.name for w in chosen)
        weights = {
            w.name: _read(w, given[w.hf_name], tensors, has_masked_lm)
            for w in chosen
        }
        longest = config.max_position_embeddings
        longest = min(longest, settings.max_length or longest)
        made_for = make_task(row, settings.do_lower_case, longest, values)
    except UserError as error:
        raise UserError(f"{folder}: {error}") from error
    return Model(config, weights, vocab, made_for, labels)


def _by_present_name(hf_names: Iterable[str]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name in sorted(hf_names):
        present = names.present_name(name)
        if present:
            given.setdefault(present, []).append(name)
    return given


def _check_layers(given: Iterable[str], config: BertConfig) -> None:
    """Raises UserError if config.json is of another depth.

    Before the table of its weights is made, which could be endless.
    """
    num_layers = names.count_layers(given)
    if num_layers != config.num_hidden_layers:
        hint = checkpoint_names.prefix_hint(
            sorted(given), "bert.embeddings.word_embeddings.weight"
        )
        raise UserError(
            f"{WEIGHTS} must have tensors of {config.num_hidden_layers} "
            f"layers by num_hidden_layers in {CONFIG} "
            f"(bert.encoder.layer.0, …). Received: {num_layers};"
            + (hint or f" does {CONFIG} belong to it?")
        )


def _check_all_are_berts(
    given: Iterable[str], config: BertConfig, path: str
) -> None:
    """Looks at the tensors where config.json does not say what it is of.

    Raises:
        UserError: BERT has no such tensors.
    """
    known = {
        weight.hf_name
        for head in (None, *names.HEADS)
        for part in names.weights_by_part(config, head).values()
        for weight in part
    }
    foreign = sorted(set(given) - known)
    if foreign:
        raise UserError(
            f'{CONFIG} must say "model_type": "bert". Received: no model_type, '
            f"and {len(foreign)} tensors that BERT has not, such as "
            f"{foreign[0]}."
        )
    logging.warning(
        "%s has no model_type; by the names of its tensors it is a BERT.", path
    )


def _rows_of_heads(given: _Given, tensors: Tensors) -> dict[str, int]:
    """Returns how many labels each head of fine-tuning has."""
    hf_names = [head.huggingface_head for head in names.HEADS]
    shapes = {
        name: tensors.shapes[given[f"{name}.weight"][0]]
        for name in hf_names
        if f"{name}.weight" in given
    }
    return {name: shape[0] for name, shape in shapes.items() if shape}


def _read(
    weight: names.Weight,
    found: Sequence[str],
    tensors: Tensors,
    has_masked_lm: bool,
) -> np.ndarray:
    """Returns a weight's value as the original has it.

    Args:
        weight: by both of its names.
        found: the tensors that give it.
        tensors: all of them.
        has_masked_lm: whether that head is converted; without it, what
            stands there a second time does not count.

    Raises:
        UserError: it is of another shape, or they differ.
    """
    if not has_masked_lm:
        found = [name for name in found if name not in names.TIED] or found
    for name in found:
        if tensors.shapes[name] != weight.hf_shape:
            raise UserError(
                f"{name} must be {list(weight.hf_shape)} by {CONFIG}. "
                f"Received: {list(tensors.shapes[name])}."
            )
    first, *others = found
    value = tensors.read(first)
    for other in others:
        if not np.array_equal(value, tensors.read(other)):
            raise UserError(
                f"{first} and {other} must be equal, as the original has one "
                f"weight for both ({weight.name}); they differ. This model "
                "cannot be converted."
            )
    return np.ascontiguousarray(value.T) if weight.transposed else value
