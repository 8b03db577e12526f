"""The one place that knows which encoders there are.

Imports no TensorFlow: a configuration is checked without it.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Unpack

from bert.errors import UserError

if TYPE_CHECKING:
    from bert.modeling.backbones.backbone import Backbone, ModelOptions
    from bert.modeling.config import BertConfig


class EncoderType(NamedTuple):
    """An encoder, as what reads configurations must know it.

    Attributes:
        location: `module:class` of its `Backbone`, in this package.
        divisor: what hidden_size must be a multiple of: a number, or the key
            of one.
        weights_per_unit: of a block, by the configuration: about how many
            weights it has, divided by hidden_size.
        attention_masks: what `attention_mask` may be, the default first; none
            where it may not be set.
        has_pooler: whether the vector of a row has weights of its own.
    """

    location: str
    divisor: int | str
    weights_per_unit: Callable[["BertConfig"], float]
    attention_masks: tuple[str, ...] = ()
    has_pooler: bool = True


def _of_transformer_block(config: "BertConfig") -> float:
    return 4 * config.hidden_size + 2 * config.intermediate_size


# By the values of `encoder_type` in bert_config.json.
ENCODER_TYPES = {
    "bert": EncoderType(
        "bert:BertModel",
        "num_attention_heads",
        _of_transformer_block,
    ),
    "gpt": EncoderType(
        "gpt:Gpt",
        "num_attention_heads",
        _of_transformer_block,
        attention_masks=("causal", "bidirectional"),
        has_pooler=False,
    ),
    "textcnn": EncoderType("textcnn:TextCnn", 4, lambda c: 4.5 * c.hidden_size),
    "bilstm": EncoderType("bilstm:BiLstm", 2, lambda c: 6 * c.hidden_size),
}


def encoder_type(config: "BertConfig") -> EncoderType:
    """Returns the row of a configuration's encoder.

    Raises:
        UserError: there is no encoder of this name.
    """
    name = config.encoder_type
    if not isinstance(name, str) or name not in ENCODER_TYPES:
        raise UserError(
            f"encoder_type must be one of {', '.join(ENCODER_TYPES)}. "
            f"Received: {str(name)[:60]!r}."
        )
    return ENCODER_TYPES[name]


def backbone_class(config: "BertConfig") -> type["Backbone"]:
    """Returns the class of a configuration's encoder; raises likewise."""
    module, _, name = encoder_type(config).location.partition(":")
    found = importlib.import_module(f"bert.modeling.backbones.{module}")
    return getattr(found, name)


def make_backbone(
    config: "BertConfig", **options: Unpack["ModelOptions"]
) -> "Backbone":
    """Returns the encoder of a configuration, with start weights."""
    return backbone_class(config)(config, **options)
