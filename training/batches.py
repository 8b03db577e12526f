"""Batches, and how to explain that one cannot be read."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from bert.modeling.task_model import Batch


class Unreadable(NamedTuple):
    """How to explain that a batch cannot be read.

    Attributes:
        errors: what reading one may raise.
        explain: turns such an error into one that names file and record.
    """

    errors: tuple[type[Exception], ...] = ()
    explain: Callable[[Exception], Exception] | None = None


class Batches(NamedTuple):
    """Batches, and how to explain that one cannot be read.

    Attributes:
        dataset: the batches.
        unreadable: how to explain that one cannot be read.
    """

    dataset: Iterable[Any]
    unreadable: Unreadable = Unreadable()


def read(batches: Batches) -> Iterator[Batch]:
    """Yields the batches; explains why one cannot be read."""
    errors, explain = batches.unreadable
    iterator = iter(batches.dataset)
    while True:
        try:
            batch = next(iterator, None)
        except errors as error:
            raise (explain(error) if explain else error) from error
        if batch is None:
            return
        yield batch
