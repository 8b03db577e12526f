"""The perplexity of a masked language model, from its loss."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# Beside a teacher's terms the masked-LM loss is a share of itself.
_TAUGHT = {"distillation_loss", "relations_loss"}


def beside(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Returns figures, and `perplexity` where `masked_lm_loss` is one of them.

    Args:
        figures: by name; the loss is a mean over predictions, in nats.

    Returns:
        Them, and `perplexity`, float32: e to the power of the loss, inf where
        that is too large to be told. Not where a teacher's terms are there.
    """
    if "masked_lm_loss" not in figures or _TAUGHT & figures.keys():
        return dict(figures)
    with np.errstate(over="ignore"):
        perplexity = np.float32(np.exp(np.float64(figures["masked_lm_loss"])))
    return {**figures, "perplexity": perplexity}
