"""The sizes of the work, alike for all contestants, and its operations.

Imports nothing but Python's own library, and NumPy where numbers are made.
"""

import itertools
import random
import string
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

VOCAB_SIZE = 30522
NUM_LABELS = 2
# Of compress_model.py; those that runtimes are timed with.
FORMATS = ("onnx", "openvino_bfloat16", "openvino_int8", "litert_int8")
# Of a row in pre-training, as in the original's command.
PREDICTIONS = {128: 20, 384: 58, 512: 77}


class Model(NamedTuple):
    """The sizes of a model: see `model`."""

    layers: int
    units: int

    @property
    def heads(self) -> int:
        """Heads of 64 units each."""
        return max(self.units // 64, 1)

    @property
    def intermediate(self) -> int:
        """Width of the wide layer of a block."""
        return 4 * self.units

    def config(self) -> dict[str, int]:
        """Returns bert_config.json's keys."""
        return {
            "vocab_size": VOCAB_SIZE,
            "hidden_size": self.units,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate,
        }

    def named(self, *names: str) -> dict[str, int]:
        """Returns the values of `config` under other names, in its order."""
        return dict(zip(names, self.config().values(), strict=True))


def model(name: str) -> Model:
    """Returns the sizes of a model by a name such as 6x384.

    Raises:
        ValueError: it is none.
    """
    layers, _, units = name.partition("x")
    numbers = [int(part) for part in (layers, units) if part.isdecimal()]
    if len(numbers) < 2 or 0 in numbers:
        raise ValueError(
            f"Expected a model as LAYERSxUNITS, such as 6x384. Received: {name}"
        )
    return Model(*numbers)


def predictions(length: int) -> int:
    """Returns how many masked tokens a row of pre-training has."""
    return PREDICTIONS.get(length, max(1, round(0.15 * length)))


def make_batch(cell: dict[str, Any]) -> dict[str, Any]:
    """Returns the batch of a cell: rows without padding, int32 arrays."""
    import numpy as np

    rows, length = cell["rows"], cell["length"]
    rng = np.random.default_rng(1)

    def ids(limit, *shape):
        return rng.integers(0, limit, (rows, *shape), dtype=np.int32)

    count = predictions(length)
    return {
        "input_ids": ids(VOCAB_SIZE, length),
        "input_mask": np.ones((rows, length), np.int32),
        "segment_ids": ids(2, length),
        "label_ids": ids(NUM_LABELS, 1),
        "is_real_example": np.ones((rows, 1), np.int32),
        "masked_lm_positions": np.stack(
            [
                np.sort(rng.permutation(length)[:count]).astype(np.int32)
                for _ in range(rows)
            ]
        ),
        "masked_lm_ids": ids(VOCAB_SIZE, count),
        "masked_lm_weights": np.ones((rows, count), np.float32),
        "next_sentence_labels": ids(2, 1),
    }


def tokens_read(cell: dict[str, Any]) -> int:
    """Returns how many tokens of a row the head reads."""
    if cell.get("head") == "pretraining":
        return 1 + predictions(cell["length"])
    return 1


def flops(cell: dict[str, Any], *, only_read: bool = False) -> float:
    """Returns the operations of a batch's matrix products.

    Those of the dense layers, of attention and of the head; a training step
    has three times those of a forward pass.

    Args:
        cell: the piece of work.
        only_read: whether the last layer has only the tokens that the head
            reads, as ours has, but for their keys and values.
    """
    sizes, length = model(cell["model"]), cell["length"]
    units = sizes.units
    attention = 4 * length * units
    kernels = 2 * (4 * units**2 + 2 * units * sizes.intermediate)
    row = sizes.layers * length * (kernels + attention)
    if only_read:
        of_a_query = kernels - 2 * 2 * units**2 + attention
        row -= (length - tokens_read(cell)) * of_a_query
    row += 2 * units * (units + NUM_LABELS)  # pooler and classifier
    if cell.get("head") == "pretraining":
        row += 2 * predictions(length) * units * (units + VOCAB_SIZE)
    is_training = cell["work"] == "train_step"
    return float(cell["rows"] * row * (3 if is_training else 1))


def memory_gib(cell: dict[str, Any]) -> float:
    """Returns about what a contestant takes for a cell, rather too much.

    Weights, gradients and Adam's moments; for each token and layer some 40
    numbers a unit and 4 a head and token looked at; a GiB for libraries.
    """
    sizes, length = model(cell["model"]), cell["length"]
    tokens = cell["rows"] * length
    weights = VOCAB_SIZE * sizes.units + 12 * sizes.layers * sizes.units**2
    kept = sizes.layers * (40 * sizes.units + 4 * sizes.heads * length)
    if cell["work"] != "train_step":
        return 1.0 + 4 * (2 * weights + tokens * kept / sizes.layers) / 2**30
    return 1.0 + 4 * (4 * weights + tokens * kept) / 2**30


def vocabulary() -> str:
    """Returns a vocab.txt of made-up words of letters, in BERT's layout."""
    special = ("[UNK]", "[CLS]", "[SEP]", "[MASK]")
    unused = (f"[unused{number}]" for number in range(99))
    words = map("".join, itertools.product(string.ascii_lowercase, repeat=4))
    pieces = itertools.chain(["[PAD]"], unused, special, words)
    return "".join(
        f"{piece}\n" for piece in itertools.islice(pieces, VOCAB_SIZE)
    )


def texts(cell: dict[str, Any]) -> Iterator[str]:
    """Yields, for ever, texts of about a cell's length in word pieces.

    Each is another one, of words that are one piece.
    """
    with open(cell["vocab_file"], encoding="utf-8") as file:
        words = [word for word in file.read().split() if word.isalpha()]
    rng = random.Random(1)
    while True:
        yield " ".join(rng.choices(words, k=cell["length"] - 2))


def text_parts(cell: dict[str, Any]) -> list[list[str]]:
    """Returns the lines of a text in parts of a MB, less a smaller rest."""
    parts: list[list[str]] = [[]]
    size = 0
    with open(cell["text_file"], encoding="utf-8") as file:
        for line in file:
            if size >= 10**6:
                parts.append([])
                size = 0
            parts[-1].append(line.strip())
            size += len(line.encode())
    return parts[:-1] or parts


def count_words(lines: Sequence[str]) -> int:
    """Returns the number of words between whitespace."""
    return sum(len(line.split()) for line in lines)


def cold_job(parts, prepare):
    """Returns a job that does another part each time, and times no more.

    Args:
        parts: lists of lines.
        prepare: makes what takes a part; not timed.
    """
    following = itertools.cycle(parts)

    def run(times):
        seconds = words = 0
        for _ in range(times):
            lines = next(following)
            ready = prepare(lines)
            begun = time.process_time()
            ready()
            seconds += time.process_time() - begun
            words += count_words(lines)
        return {"cpu_seconds": seconds / times, "items": words / times}

    return run
