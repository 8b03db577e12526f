"""Requests with faults among them → answers with faults among them."""

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from bert.data.tables.rows import Place
from bert.errors import UserError


class Failures(enum.Enum):
    """What becomes of a request that cannot be answered: the flag on_error.

    STOP: it ends the work. ANSWER: the fault is its answer.
    """

    STOP = "stop"
    ANSWER = "answer"


class Item(NamedTuple):
    """A line or row, and its request, or what is wrong with it."""

    place: Place
    request: Any


class Summary:
    """Answers requests, and counts those that cannot be answered.

    Args:
        failures: what becomes of these.
    """

    def __init__(self, failures: Failures):
        self._failures = failures
        self._first: Place | None = None
        self._count = 0

    def answered(
        self,
        items: Iterable[Item],
        answer: Callable[[Sequence[Any]], Iterable[Any]],
    ) -> Iterator[tuple[Place, Any]]:
        """Yields the answer to each item, or its fault, in order.

        Args:
            items: to be answered together. After a fault that ends the work,
                none is read.
            answer: requests → an answer each, in order, as they are computed.
                Raises UserError for one that has none.

        Raises:
            UserError: one cannot be answered, and that ends the work; those
                before it have been.
        """
        rest = list(self._until_stop(items))
        while rest:
            asked = [x.request for x in rest if not _is_fault(x.request)]
            answers = iter(answer(asked))
            for number, (place, request) in enumerate(rest, start=1):
                found = request
                if not _is_fault(request):
                    found = _next(place, answers)
                if _is_fault(found):
                    self._count_fault(place, found)
                yield place, found
                if found is not request and _is_fault(found):
                    # Nothing comes after that, so the others are asked anew.
                    rest = rest[number:]
                    break
            else:
                return

    def check(self) -> None:
        """Raises UserError where something could not be answered."""
        if self._first is not None:
            raise UserError(
                f"{self._first.file}: {self._count} of its lines could not be "
                f"answered, the first is line {self._first.line}. Expected "
                "requests as docs/prediction.md has them; `error` says what "
                "is wrong with each."
            )

    def _until_stop(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            yield item
            if self._failures is Failures.STOP and _is_fault(item.request):
                return

    def _count_fault(self, place: Place, fault: UserError) -> None:
        if self._failures is Failures.STOP:
            raise fault
        self._first = self._first or place
        self._count += 1


def _is_fault(value: Any) -> bool:
    return isinstance(value, UserError)


def _next(place: Place, answers: Iterator[Any]) -> Any:
    """Returns the next answer, or the fault that it ends with."""
    try:
        return next(answers)
    except UserError as error:
        return UserError(f"{place.file}, line {place.line}: {error}")
