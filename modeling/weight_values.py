"""The one check of weights' values: floats, and finite ones."""

import numpy as np

from bert.errors import UserError


def as_float32(name: str, value: np.ndarray) -> np.ndarray:
    """Returns a weight's value as float32.

    Args:
        name: the weight's, for the message.
        value: floats of any precision.

    Raises:
        UserError: its numbers are not all finite in float32.
    """
    value = np.asarray(value)
    with np.errstate(over="ignore", invalid="ignore"):
        converted = value.astype(np.float32, copy=False)
        # A third of the time that looking at each number takes. A sum that is
        # finite has no other terms; one that is not may only be too large.
        if np.isfinite(converted.sum()):
            return converted
    finite = np.isfinite(converted)
    if not finite.all():
        raise UserError(
            f"{name} must hold numbers that are finite in float32. "
            f"Received: {value[~finite][0]}."
        )
    return converted
