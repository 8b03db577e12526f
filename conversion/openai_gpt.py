"""Reads the folder of openai/finetune-transformer-lm: OpenAI's first GPT.

    params_shapes.json               the shape of each array
    params_0.npy … params_9.npy      all numbers, one array after the other,
                                     cut into ten across the arrays' borders
    encoder_bpe_40000.json, vocab_40000.bpe    its tokenizer

No array has a name; their order says what they are. Letters of shapes: D
hidden, I intermediate, V pieces.
"""

import bisect
import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bert.conversion.model import make_task
from bert.data.text import gpt_tokenizer, tokenizers
from bert.errors import UserError, one_line
from bert.files import text_input
from bert.model_folder import task_files
from bert.modeling.config import BertConfig
from bert.modeling.weight_values import as_float32
from bert.tasks import spec

SHAPES_FILE = "params_shapes.json"
_NUM_FILES = 10
_VOCAB_FILE, _MERGES_FILE = tokenizers.kind_of("encoder_bpe_40000.json").files
# Of the rows of the word table that are drawn: the special tokens'.
_STDDEV, _SEED = 0.02, 12345
# The arrays of a block, in their order: the weight's name, the shape.
_BLOCK = (
    ("attention/self", ("D", "3D")),
    ("attention/self", ("3D",)),
    ("attention/output/dense/kernel", ("D", "D")),
    ("attention/output/dense/bias", ("D",)),
    ("attention/output/LayerNorm/gamma", ("D",)),
    ("attention/output/LayerNorm/beta", ("D",)),
    ("intermediate/dense/kernel", ("D", "I")),
    ("intermediate/dense/bias", ("I",)),
    ("output/dense/kernel", ("I", "D")),
    ("output/dense/bias", ("D",)),
    ("output/LayerNorm/gamma", ("D",)),
    ("output/LayerNorm/beta", ("D",)),
)


class _Part(NamedTuple):
    """Where a weight is.

    Attributes:
        array: the number of the array that holds it.
        third: which of three blocks of its columns the weight is, for query,
            key and value; None: all of it.
    """

    array: int
    third: int | None = None


def is_folder(folder: str) -> bool:
    """Whether a folder has the files of such a model."""
    return os.path.isfile(os.path.join(folder, SHAPES_FILE))


def read(
    folder: str, num_heads: int | None
) -> tuple["Tensors", dict[str, bytes]]:
    """Reads and checks a model.

    Args:
        folder: its files.
        num_heads: the number of attention heads, which none of them says.

    Returns:
        The weights, by their names in checkpoints, which are read when they
        are asked for; and the texts of the other files of a model's folder.

    Raises:
        UserError: the number of heads is missing or cannot be, or a file is
            missing or wrong.
    """
    if num_heads is None:
        raise UserError(
            f"--num_attention_heads must be given: {folder} holds OpenAI's GPT,"
            " whose files do not say it; the published model has 12."
        )
    shapes = _read_shapes(os.path.join(folder, SHAPES_FILE))
    vocab_file = os.path.join(folder, _VOCAB_FILE)
    vocab = gpt_tokenizer.load_vocab(vocab_file)
    merges_file = os.path.join(folder, _MERGES_FILE)
    gpt_tokenizer.load_merges(merges_file)
    config = _config(folder, shapes, num_heads, len(vocab))
    tensors = Tensors(_Arrays(folder, shapes), config)
    for name in tensors:
        as_float32(f"{folder}: {name}", tensors[name])
    task = make_task(
        spec.find("features"), True, config.max_position_embeddings
    )
    return tensors, {
        _VOCAB_FILE: text_input.read(vocab_file),
        _MERGES_FILE: text_input.read(merges_file),
        task_files.CONFIG_FILE: config.to_json_string().encode(),
        task_files.TASK_FILE: task.to_json().encode(),
    }


class Tensors(Mapping[str, np.ndarray]):
    """The weights by their names in checkpoints, each read when asked for.

    So a conversion needs the memory of the weights once.

    Args:
        arrays: of the model.
        config: its sizes.
    """

    def __init__(self, arrays: "_Arrays", config: BertConfig):
        self._arrays = arrays
        self._config = config
        self._parts = {
            "gpt/embeddings/position_embeddings": _Part(0),
            "gpt/embeddings/word_embeddings": _Part(1),
        }
        for number in range(config.num_hidden_layers):
            first = 2 + number * len(_BLOCK)
            for array, (name, shape) in enumerate(_BLOCK, first):
                path = f"gpt/encoder/layer_{number}/{name}"
                if name != "attention/self":
                    self._parts[path] = _Part(array)
                    continue
                kind = "kernel" if len(shape) == 2 else "bias"
                for third, own in enumerate(("query", "key", "value")):
                    self._parts[f"{path}/{own}/{kind}"] = _Part(array, third)

    def __getitem__(self, name: str) -> np.ndarray:
        number, third = self._parts[name]
        value = self._arrays.read(number)
        if third is not None:
            return np.ascontiguousarray(np.split(value, 3, axis=-1)[third])
        if name.endswith("word_embeddings"):
            num_new = self._config.vocab_size - len(value)
            drawn = np.random.default_rng(_SEED).normal(
                0, _STDDEV, (num_new, value.shape[1])
            )
            return np.concatenate([value, drawn.astype(np.float32)])
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


class _Arrays:
    """The arrays of a folder.

    Args:
        folder: has them.
        shapes: of each.

    Raises:
        UserError: a file is missing or no array, or they have other sizes.
    """

    def __init__(self, folder: str, shapes: Sequence[tuple[int, ...]]):
        self._shapes = shapes
        sizes = [math.prod(shape) for shape in shapes]
        self._starts = [0, *itertools.accumulate(sizes)]
        self._files = [
            os.path.join(folder, f"params_{number}.npy")
            for number in range(_NUM_FILES)
        ]
        opened = list(map(_opened, self._files))
        self._bounds = [0, *itertools.accumulate(map(len, opened))]
        if self._bounds[-1] != self._starts[-1]:
            raise UserError(
                f"{folder}: expected {self._starts[-1]} numbers in "
                f"params_0.npy to params_{_NUM_FILES - 1}.npy, as "
                f"{SHAPES_FILE} says. Received: {self._bounds[-1]}; get the "
                "files anew."
            )

    def read(self, number: int) -> np.ndarray:
        """Returns one array, without leading axes of length 1.

        It is not read yet, unless it is in several files.
        """
        start, stop = self._starts[number : number + 2]
        first = bisect.bisect_right(self._bounds, start) - 1
        last = bisect.bisect_left(self._bounds, stop) - 1
        parts = [
            _opened(self._files[file])[
                max(start - self._bounds[file], 0) : stop - self._bounds[file]
            ]
            for file in range(first, last + 1)
        ]
        value = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return value.reshape(self._shapes[number])


def _opened(path: str) -> np.ndarray:
    """Returns a file's numbers, float32 [n], not yet read."""
    try:
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"Expected an array of NumPy in {path}. Received: "
            f"{one_line(error, 80)}; get the file anew."
        ) from error
    if not isinstance(found, np.ndarray):  # an archive of several
        found.close()
        raise UserError(f"{path}: expected an array. Received: an archive.")
    if found.ndim != 1 or found.dtype != np.float32:
        raise UserError(
            f"{path}: expected float32 [n]. Received: {found.dtype} "
            f"{list(found.shape)}; get the file anew."
        )
    return found


def _read_shapes(path: str) -> list[tuple[int, ...]]:
    """Returns the shapes of the arrays, without leading axes of length 1."""
    try:
        found = json.loads(text_input.read(path))
        shapes = [tuple(shape) for shape in found]
        for shape in shapes:
            if not all(type(size) is int and size > 0 for size in shape):
                raise ValueError(f"a shape {list(shape)}")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path}: expected a JSON list of shapes. Received: "
            f"{one_line(error, 80)}; get the file anew."
        ) from error
    return [s[1:] if len(s) == 3 and s[0] == 1 else s for s in shapes]


def _config(
    folder: str,
    shapes: Sequence[tuple[int, ...]],
    num_heads: int,
    num_ids: int,
) -> BertConfig:
    """Returns the sizes of a model, which fit its arrays.

    Args:
        folder: for messages.
        shapes: of the arrays.
        num_heads: of the attention.
        num_ids: of the vocabulary, special tokens included.
    """
    num_pieces = num_ids - len(gpt_tokenizer.SPECIAL_TOKENS)
    num_layers = (len(shapes) - 2) // len(_BLOCK)
    wide = shapes[8] if num_layers > 0 else ()
    first = shapes[0] if shapes else ()
    if len(first) != 2 or len(wide) != 2:
        raise _misshapen(folder, 0, "that of a table", first)
    sizes = {"D": first[1], "3D": 3 * first[1], "I": wide[1]}
    block = [tuple(sizes[letter] for letter in s) for _, s in _BLOCK]
    expected = [
        first,
        (num_pieces, first[1]),
        *itertools.chain.from_iterable([block] * num_layers),
    ]
    for number, (one, other) in enumerate(
        itertools.zip_longest(expected, shapes)
    ):
        if one != other:
            raise _misshapen(folder, number, one, other)
    config = BertConfig(
        vocab_size=num_ids,
        hidden_size=first[1],
        num_hidden_layers=num_layers,
        num_attention_heads=num_heads,
        intermediate_size=wide[1],
        max_position_embeddings=first[0],
        type_vocab_size=2,  # segments change nothing, but records have them
        encoder_type="gpt",
    )
    try:
        config.validate()
    except UserError as error:
        raise UserError(f"--num_attention_heads: {error}") from error
    return config


def _misshapen(
    folder: str, number: int, expected: object, received: object
) -> UserError:
    return UserError(
        f"{os.path.join(folder, SHAPES_FILE)}: expected the shape {expected} "
        f"for array {number}, by the others and the pieces in {_VOCAB_FILE}. "
        f"Received: {received}; get the files anew."
    )
