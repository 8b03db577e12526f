"""Writes a Hugging Face BERT folder, as `transformers` loads it."""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging
from safetensors import SafetensorError
from safetensors.numpy import save_file

from bert.conversion import huggingface_config, output_folder, tokenizer_files
from bert.conversion import huggingface_names as names
from bert.conversion.huggingface import CONFIG
from bert.conversion.model import Model
from bert.conversion.safetensors_files import INDEX, PICKLE, WEIGHTS
from bert.conversion.vocabulary import tokens_of
from bert.errors import UserError, one_line
from bert.model_folder.task_files import VOCAB_FILE

FORMAT = output_folder.Format(
    # config.json last: without it there is no model.
    files=(WEIGHTS, VOCAB_FILE, tokenizer_files.CONFIG, CONFIG),
    disturbing=(
        "tokenizer.json",
        "added_tokens.json",
        "special_tokens_map.json",
        INDEX,
        PICKLE,
    ),
)


def prepare(model: Model) -> output_folder.Writer:
    """Returns what writes a model's files.

    All that can be wrong with it is found here, before anything is written.

    Args:
        model: its casing is known.

    Raises:
        UserError: `transformers` has no such model.
    """
    tokens = tokens_of(model.vocab)
    ids = {token: number for number, token in enumerate(tokens)}
    config = huggingface_config.from_original(model, ids.get("[PAD]"))
    tokenizer = tokenizer_files.settings_to_write(
        tokens,
        bool(model.task.do_lower_case),
        model.config.max_position_embeddings,
    )
    tensors = _tensors(model, config["architectures"][0])

    def write(prefix: str) -> None:
        try:
            # What PyTorch's readers ask for.
            save_file(tensors, prefix + WEIGHTS, metadata={"format": "pt"})
        except SafetensorError as error:  # as when the disk is full
            folder = os.path.dirname(prefix)
            raise UserError(
                f"Cannot write {os.path.join(folder, WEIGHTS)}: "
                f"{one_line(error)}; make room, or name another --output_dir."
            ) from error
        # The package leaves a file that nobody else may read.
        os.chmod(prefix + WEIGHTS, 0o666 & ~_umask())
        # Stripped, as our tokenizer reads it; transformers' does not.
        with open(prefix + VOCAB_FILE, "wb") as file:
            file.write("".join(f"{token}\n" for token in tokens).encode())
        _write_json(prefix + tokenizer_files.CONFIG, tokenizer)
        _write_json(prefix + CONFIG, config)

    return write


def _tensors(model: Model, architecture: str) -> dict[str, np.ndarray]:
    """Returns the weights that an architecture has, by its names for them."""
    parts = model.weights_by_part()
    if names.POOLER in parts and not huggingface_config.uses_pooler(
        architecture
    ):
        logging.info("Left out: the pooler, which %s has not.", architecture)
        del parts[names.POOLER]
    # A model without a head has no `bert.` in front of its names.
    prefix = "bert." if architecture == "BertModel" else ""
    return {
        weight.hf_name.removeprefix(prefix): np.ascontiguousarray(
            model.tensors[weight.name].T
            if weight.transposed
            else model.tensors[weight.name]
        )
        for weights in parts.values()
        for weight in weights
    }


def _write_json(path: str, values: Mapping[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.write("\n")


def _umask() -> int:
    """Returns what is taken from the permissions of new files."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
