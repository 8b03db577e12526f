"""What Hugging Face's BERT calls things, and what the original calls them.

One table (`weights_by_part`) and one for activations serve both directions.
Letters of shapes: D hidden, V vocabulary.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from errors import UserError
from modeling.config import BertConfig

# Hugging Face's `gelu` is the exact one, the original's the approximation by
# tanh. From theirs to ours; of several, the last is the one to write back.
ACTIVATIONS = {
    "gelu": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
}
# The epsilon of all layer normalization in the original.
LAYER_NORM_EPSILON = 1e-12

# Without these the defaults would decide, and ours are not theirs
# (type_vocab_size: 16 and 2).
_NEEDED_KEYS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "max_position_embeddings",
    "type_vocab_size",
)
_OTHER_KEYS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "initializer_range",
)
# What makes another model of the same weights: key → the value that is BERT.
_NOT_BERT = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}

# The part that every model has; the others are there whole or not at all.
ENCODER = "encoder"

_LAYER = re.compile(r"bert\.encoder\.layer\.([0-9]+)\.")
# Saved by some versions; counted up from 0 or all 0, nothing learned.
_BUFFER = re.compile(r"(bert\.)?embeddings\.(position_ids|token_type_ids)$")
# Tensors that are another one by a second name: the scores of the masked LM
# are products with the word table itself.
_TIED = {
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


def weights_by_part(config: BertConfig) -> dict[str, list[Weight]]:
    """Returns all weights that a model of these sizes may have.

    Returns:
        The weights of the encoder, the pooler and the heads of pre-training,
        by the name of the part.
    """
    size, vocab = config.hidden_size, config.vocab_size
    transform = ("cls/predictions/transform", "cls.predictions.transform")
    return {
        ENCODER: [
            *_embeddings(config),
            *(
                weight
                for index in range(config.num_hidden_layers)
                for weight in _block(config, index)
            ),
        ],
        "pooler": _dense("bert/pooler/dense", "bert.pooler.dense", size, size),
        "masked-LM head": [
            *_dense(
                f"{transform[0]}/dense", f"{transform[1]}.dense", size, size
            ),
            *_layer_norm(*transform, size),
            Weight(
                "cls/predictions/output_bias", (vocab,), "cls.predictions.bias"
            ),
        ],
        "next-sentence head": [
            Weight(
                "cls/seq_relationship/output_weights",
                (2, size),
                "cls.seq_relationship.weight",
            ),
            Weight(
                "cls/seq_relationship/output_bias",
                (2,),
                "cls.seq_relationship.bias",
            ),
        ],
    }


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
    return _TIED.get(name, name)


def count_layers(present_names: Iterable[str]) -> int:
    """Returns of how many different blocks of the encoder tensors are given.

    Args:
        present_names: the tensors, as `present_name` spells them.
    """
    matches = (_LAYER.match(name) for name in present_names)
    return len({match[1] for match in matches if match})


def config_from_hf(values: Mapping[str, Any]) -> BertConfig:
    """Makes a BertConfig of what Hugging Face's config.json holds.

    Raises:
        UserError: it is of another model than BERT, a size is missing or
            wrong, or the activation is none that BertModel has.
    """
    if values.get("model_type") != "bert":
        raise UserError(
            'Expected "model_type": "bert"; other models keep other weights '
            "under the same names. Received: "
            f"{values.get('model_type', 'no model_type')!r}."
        )
    for key, expected in _NOT_BERT.items():
        if values.get(key, expected) != expected:
            raise UserError(
                f"{key} must be {expected!r}, or BertModel would compute "
                f"something else. Received: {values[key]!r}."
            )
    missing = [key for key in _NEEDED_KEYS if key not in values]
    if missing:
        raise UserError(
            f"{', '.join(missing)} must be given; take config.json from where "
            "the weights come from."
        )
    act = values["hidden_act"]
    if not isinstance(act, str) or act not in ACTIVATIONS:
        raise UserError(
            f"hidden_act must be one of {', '.join(ACTIVATIONS)}. "
            f"Received: {act!r}."
        )
    kept = {
        key: values[key]
        for key in (*_NEEDED_KEYS, *_OTHER_KEYS)
        if key in values
    }
    return BertConfig.from_dict({**kept, "hidden_act": ACTIVATIONS[act]})


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
        Weight(
            f"{ours}/kernel",
            (inputs, outputs),
            f"{theirs}.weight",
            transposed=True,
        ),
        Weight(f"{ours}/bias", (outputs,), f"{theirs}.bias"),
    ]


def _layer_norm(ours: str, theirs: str, size: int) -> list[Weight]:
    return [
        Weight(
            f"{ours}/LayerNorm/gamma", (size,), f"{theirs}.LayerNorm.weight"
        ),
        Weight(f"{ours}/LayerNorm/beta", (size,), f"{theirs}.LayerNorm.bias"),
    ]
