"""What each task asks a model about a text, and what it makes of the outputs.

A task turns requests into sequences, any number each, and the outputs of these
into an answer. Of an output per token, what is beyond the sequence is padding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bert.data.records.packing import Packed
from bert.serving.loaded_model import LoadedModel
from bert.serving.request_errors import UnfitError, check_finite
from bert.tasks.features import features_text

Outputs = Mapping[str, np.ndarray]


class Asked(NamedTuple):
    """A request on its way through the model.

    Attributes:
        request: what the task's `request` returned, or what it needs of it.
        rows: the sequences that the model must see.
    """

    request: Any
    rows: Sequence[Packed]


class PredictionTask:
    """What a task asks and answers.

    Args:
        model: the loaded model.

    Attributes:
        window_batches: how many batches' outputs may wait in memory.
    """

    window_batches = 32

    def __init__(self, model: LoadedModel):
        self.model = model

    def request(self, value: object) -> Any:
        """Returns a request, checked.

        Args:
            value: what the user gave: a text, a pair of texts, or a dict.

        Raises:
            UnfitError: it is not one of this task's.
        """
        raise NotImplementedError

    def of_line(self, line: str) -> Any:
        """Returns the request that a line of text is; raises as `request`."""
        text_a, text_b = features_text.split_line(line)
        return self.request(text_a if text_b is None else (text_a, text_b))

    def ask(self, requests: Iterable[Any]) -> Iterator[Asked]:
        """Yields each request with its sequences."""
        raise NotImplementedError

    def answer(self, request: Any, outputs: Sequence[Outputs]) -> dict:
        """Returns the answer, from the outputs of each of its sequences."""
        raise NotImplementedError


def fields_of(
    value: object, names: Sequence[str], what: str, least: int = 1
) -> tuple[str, ...]:
    """Returns the texts of a request, from `least` to all of `names`."""
    if isinstance(value, dict):
        given = [value.get(name) for name in names]
        while len(given) > least and given[-1] is None:
            given.pop()
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


def numbers_of(values: np.ndarray) -> list[float]:
    """Returns float32 numbers with the digits they have."""
    check_finite(values)
    return [float(str(value)) for value in values]
