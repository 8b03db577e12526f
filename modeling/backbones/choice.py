"""The one place that knows which encoder a configuration is of."""

from typing import Unpack

from bert.modeling.backbones.backbone import Backbone, ModelOptions
from bert.modeling.backbones.bert import BertModel
from bert.modeling.config import BertConfig


def make_backbone(
    config: BertConfig, **options: Unpack[ModelOptions]
) -> Backbone:
    """Returns the encoder of a configuration, with start weights."""
    return BertModel(config, **options)
