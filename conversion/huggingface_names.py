"""What Hugging Face's BERT calls its weights, and what the original calls them.

The tables (`weights_by_part`, `HEADS`) serve both directions.
Letters of shapes: D hidden, V vocabulary, L labels.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bert.modeling.config import BertConfig
from bert.tasks import spec
from bert.tasks.spec import Spec

# What bert_config.json calls the encoder that has these names.
ENCODER_TYPE = "bert"
# The part that every model has; the others are there whole or not at all.
ENCODER = "encoder"
POOLER = "pooler"
MASKED_LM = "masked-LM head"
NEXT_SENTENCE = "next-sentence head"

_LAYER = re.compile(r"bert\.encoder\.layer\.([0-9]+)\.")
# Saved by some versions; counted up from 0 or all 0, nothing learned.
_BUFFER = re.compile(r"(bert\.)?embeddings\.(position_ids|token_type_ids)$")
# Tensors that are another one by a second name: the scores of the masked LM
# are products with the word table itself.
TIED = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


class Weight(NamedTuple):
    """A weight by both of its names.

    Attributes:
        name: in the original's checkpoints.
        shape: there.
        hf_name: in Hugging Face's files, in the present spelling.
        transposed: whether its axes are the other way round there.
    """

    name: str
    shape: tuple[int, ...]
    hf_name: str
    transposed: bool = False

    @property
    def hf_shape(self) -> tuple[int, ...]:
        """The shape in Hugging Face's files."""
        return self.shape[::-1] if self.transposed else self.shape


# The tasks with a head of fine-tuning.
HEADS = tuple(row for row in spec.SPECS if row.head)


def head_part(head: Spec) -> str:
    """Returns what messages call the head of a task."""
    return f"{head.name} head"


def weights_by_part(
    config: BertConfig, head: Spec | None = None, num_labels: int = 0
) -> dict[str, list[Weight]]:
    """Returns all weights that a model of these sizes may have.

    Args:
        config: the sizes.
        head: one of HEADS, or None.
        num_labels: L of the head; not used where the task fixes it.

    Returns:
        The weights of the encoder, the pooler, the heads of pre-training and
        that of fine-tuning, by the name of the part.
    """
    size, vocab = config.hidden_size, config.vocab_size
    transform = ("cls/predictions/transform", "cls.predictions.transform")
    parts = {
        ENCODER: [
            *_embeddings(config),
            *(
                weight
                for index in range(config.num_hidden_layers)
                for weight in _block(config, index)
            ),
        ],
        POOLER: _dense("bert/pooler/dense", "bert.pooler.dense", size, size),
        MASKED_LM: [
            *_dense(
                f"{transform[0]}/dense", f"{transform[1]}.dense", size, size
            ),
            *_layer_norm(*transform, size),
            Weight(
                "cls/predictions/output_bias", (vocab,), "cls.predictions.bias"
            ),
        ],
        NEXT_SENTENCE: _output(
            "cls/seq_relationship/", "cls.seq_relationship", 2, size
        ),
    }
    if head:
        rows = head.num_outputs or num_labels
        parts[head_part(head)] = _output(
            head.scope, head.huggingface_head, rows, size
        )
    return parts


def present_name(hf_name: str) -> str | None:
    """Returns a Hugging Face tensor's name in the spelling of the table.

    Knows the old `gamma` and `beta`, names without `bert.` in front, and
    tensors that only repeat another one.

    Returns:
        The name; None for a buffer, which is no weight.
    """
    if _BUFFER.match(hf_name):
        return None
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", hf_name)
    name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"bert.{name}"
    return TIED.get(name, name)


def count_layers(present_names: Iterable[str]) -> int:
    """Returns of how many different blocks of the encoder tensors are given.

    Args:
        present_names: the tensors, as `present_name` spells them.
    """
    matches = (_LAYER.match(name) for name in present_names)
    return len({match[1] for match in matches if match})


def _embeddings(config: BertConfig) -> list[Weight]:
    size = config.hidden_size
    ours, theirs = "bert/embeddings", "bert.embeddings"
    return [
        *(
            Weight(f"{ours}/{name}", (rows, size), f"{theirs}.{name}.weight")
            for name, rows in (
                ("word_embeddings", config.vocab_size),
                ("token_type_embeddings", config.type_vocab_size),
                ("position_embeddings", config.max_position_embeddings),
            )
        ),
        *_layer_norm(ours, theirs, size),
    ]


def _block(config: BertConfig, index: int) -> list[Weight]:
    size, wide = config.hidden_size, config.intermediate_size
    ours, theirs = f"bert/encoder/layer_{index}", f"bert.encoder.layer.{index}"
    weights = []
    for path, inputs, outputs in (
        ("attention/self/query", size, size),
        ("attention/self/key", size, size),
        ("attention/self/value", size, size),
        ("attention/output/dense", size, size),
        ("intermediate/dense", size, wide),
        ("output/dense", wide, size),
    ):
        hf_path = f"{theirs}.{path.replace('/', '.')}"
        weights += _dense(f"{ours}/{path}", hf_path, inputs, outputs)
    for path in ("attention/output", "output"):
        hf_path = f"{theirs}.{path.replace('/', '.')}"
        weights += _layer_norm(f"{ours}/{path}", hf_path, size)
    return weights


def _dense(ours: str, theirs: str, inputs: int, outputs: int) -> list[Weight]:
    return [
        Weight(f"{ours}/kernel", (inputs, outputs), f"{theirs}.weight", True),
        Weight(f"{ours}/bias", (outputs,), f"{theirs}.bias"),
    ]


def _layer_norm(ours: str, theirs: str, size: int) -> list[Weight]:
    ours, theirs = f"{ours}/LayerNorm", f"{theirs}.LayerNorm"
    return [
        Weight(f"{ours}/gamma", (size,), f"{theirs}.weight"),
        Weight(f"{ours}/beta", (size,), f"{theirs}.bias"),
    ]


def _output(ours: str, theirs: str, num_labels: int, size: int) -> list[Weight]:
    return [
        Weight(f"{ours}output_weights", (num_labels, size), f"{theirs}.weight"),
        Weight(f"{ours}output_bias", (num_labels,), f"{theirs}.bias"),
    ]
