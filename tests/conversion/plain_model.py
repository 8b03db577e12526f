"""Makes models of tiny tensors without Keras or files."""

from collections.abc import Sequence

import numpy as np

from bert.conversion import huggingface_names as names
from bert.conversion.model import Model, make_task
from bert.modeling import BertConfig
from bert.tasks import spec

VOCAB = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"
ALL = (names.ENCODER, names.POOLER, names.MASKED_LM, names.NEXT_SENTENCE)


def config(**changes) -> BertConfig:
    """A configuration of one layer in which no two sizes are the same."""
    values = {
        "vocab_size": 6,
        "hidden_size": 4,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 5,
        "max_position_embeddings": 8,
        "type_vocab_size": 2,
    }
    return BertConfig.from_dict(values | changes)


def make(
    row: spec.Spec,
    parts: Sequence[str] = ALL[:2],
    num_labels: int = 0,
    labels: Sequence[str] = (),
    **changes,
) -> Model:
    """Makes a model whose tensors are random.

    Args:
        row: the task.
        parts: what it has beside the task's head.
        num_labels: rows of that head.
        labels: their names.
        **changes: of the configuration.
    """
    sizes = config(**changes)
    head = row if row.head else None
    by_part = names.weights_by_part(sizes, head, num_labels)
    own = [*parts, *([names.head_part(row)] if head else [])]
    weights = [weight for part in own for weight in by_part[part]]
    random = np.random.default_rng(0)
    tensors = {
        weight.name: random.normal(size=weight.shape).astype(np.float32)
        for weight in weights
    }
    return Model(sizes, tensors, VOCAB, make_task(row, True, 8), labels)
