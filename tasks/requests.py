"""What a request to a model may be, and which answers cannot be given.

Imports neither TensorFlow nor a task.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from bert.data.tables import rows
from bert.errors import UserError

_Request = TypeVar("_Request")


class UnfitError(ValueError):
    """A request that a model cannot answer.

    The message is what was expected, as it follows the word "expected".
    """


def requests_of(
    values: Iterable[Any], request: Callable[[Any], _Request], name: str
) -> list[_Request]:
    """Returns what a model takes for each value.

    Args:
        values: what is asked.
        request: returns what the model takes; UnfitError where it is none.
        name: of the values, for the message.

    Raises:
        UserError: one is no request; the message says which.
    """
    found = []
    for number, value in enumerate(values):
        try:
            found.append(request(value))
        except UnfitError as error:
            raise UserError(
                f"{name}[{number}]: expected {error}. Received: "
                f"{rows.shorten(value)}."
            ) from error
    return found


def texts_of(
    value: object, names: Sequence[str], what: str, least: int = 1
) -> tuple[str, ...]:
    """Returns the texts of a request.

    Args:
        value: a text, a tuple or list of texts, or a dict of texts by name.
        names: of the texts, in their order.
        what: they are, for the message.
        least: how many of the names there must be.

    Raises:
        UnfitError: the value is none of these.
    """
    given: object
    if isinstance(value, dict):
        found = [value.get(name) for name in names]
        while len(found) > least and found[-1] is None:
            found.pop()
        given = found
    else:
        given = [value] if isinstance(value, str) else value
    if (
        not isinstance(given, list | tuple)
        or not least <= len(given) <= len(names)
        or not all(isinstance(text, str) for text in given)
    ):
        fields = ", ".join(f'"{name}": "…"' for name in names[:least])
        more = "".join(f', and "{name}" if any' for name in names[least:])
        raise UnfitError(f"{what} ({{{fields}}}{more})")
    return tuple(given)


def copied_of(value: object) -> dict[str, Any]:
    """Returns what is copied from a request to its answer: an object's `id`.

    Raises:
        UnfitError: JSON cannot write it.
    """
    if not isinstance(value, dict) or "id" not in value:
        return {}
    try:
        json.dumps(value["id"], allow_nan=False)
    except ValueError as error:
        raise UnfitError(
            "an id that JSON can write, without NaN and numbers beyond 1e308"
        ) from error
    return {"id": value["id"]}


def check_finite(values: np.ndarray | Sequence[float]) -> None:
    """Raises UserError where an output is NaN or infinite.

    JSON cannot write such numbers.
    """
    if not np.isfinite(values).all():
        raise UserError(
            "the model's output is not a number; was it trained to a finite "
            "loss?"
        )


def numbers_of(values: np.ndarray) -> list[float]:
    """Returns float32 [n] as floats that print with the digits of float32.

    Raises:
        UserError: see `check_finite`.
    """
    check_finite(values)
    return [float(str(value)) for value in values]
