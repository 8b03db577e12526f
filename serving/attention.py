"""What a model's pieces of a text look at, for those who want to see it."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.data.records import packing
from bert.data.records.packing import Packed
from bert.data.text.tokenization import FullTokenizer
from bert.serving import row_batches
from bert.serving.graphs import Graph
from bert.tasks.requests import check_finite
from bert.tasks.spec import INPUTS


class Attention(NamedTuple):
    """The attention of one sequence of S pieces.

    Attributes:
        tokens: its pieces, [CLS] and [SEP] included.
        probs: float32 [layers, heads, S, S]: how much (0 to 1) each piece, of
            the third axis, looks at each one, of the fourth.
    """

    tokens: list[str]
    probs: np.ndarray


def of_sequence(
    graph: Graph, tokenizer: FullTokenizer, packed: Packed
) -> Attention:
    """Computes the attention of a sequence.

    Args:
        graph: the model.
        tokenizer: what made the sequence.
        packed: the sequence.

    Raises:
        UserError: the encoder has none, or it is not a number.
    """
    graph.model.backbone.check_attention()
    row = row_batches.arrays([packing.pad(packed, len(packed.ids))])
    (probs,) = graph.attention(*(tf.constant(row[name]) for name in INPUTS))
    check_finite(probs.numpy())
    return Attention(tokenizer.convert_ids_to_tokens(packed.ids), probs.numpy())
