"""What may be wrong with a request, and with its answer."""

from collections.abc import Sequence

import numpy as np

from bert.errors import UserError


class UnfitError(ValueError):
    """A request that a model cannot take; the message says what it can."""


def check_finite(values: np.ndarray | Sequence[float]) -> None:
    """Raises UserError where outputs are what JSON cannot write."""
    if not np.isfinite(values).all():
        raise UserError(
            "the model's output is not a number; was it trained to a finite "
            "loss?"
        )
