"""Questions → the features of their windows, by several processes.

They come in the order of the questions, and are numbered here. So the records
are the same for any number of processes.
"""

import array
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bert.data.corpus import worker_pool
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.record_sets import Features
from bert.tasks.squad import windows
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.windows import Window, WindowSettings

# NumPy is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import numpy as np

# Questions whose windows are logged.
LOGGED_EXAMPLES = 20
# Questions that a process takes at a time.
_PART = 64


class Job(NamedTuple):
    """What is done with questions.

    Attributes:
        tokenizer: makes their pieces.
        settings: how paragraphs are cut.
    """

    tokenizer: FullTokenizer
    settings: WindowSettings


class Worker:
    """Does a part of a job; a process has one."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def features(
        self, part: tuple[int, Sequence[SquadExample]]
    ) -> dict[str, "np.ndarray"]:
        """Returns the features of all windows, int32 [windows, length].

        Args:
            part: a number, which comes back, and the questions.
        """
        import numpy as np

        tokenizer, settings = self._job
        columns: dict[str, array.array[int]] = {}
        num_windows = 0
        for window in windows.windows(part[1], tokenizer, settings):
            row = windows.features(window, tokenizer, settings.max_seq_length)
            for name, values in row.items():
                # Several times as fast as NumPy's of lists.
                columns.setdefault(name, array.array("i")).fromlist(values)
            num_windows += 1
        return {
            name: np.frombuffer(column, np.int32).reshape(num_windows, -1)
            for name, column in columns.items()
        }


def logged_features(
    questions: Sequence[SquadExample],
    cut: Callable[[], Iterable[Window]],
    job: Job,
    num_workers: int,
) -> Iterator[Features]:
    """Yields the features of each window; logs those of the first questions.

    Args:
        questions: in the order of the records.
        cut: gives all windows, where this process alone makes the records.
        job: what is done with questions.
        num_workers: processes.

    Raises:
        UserError: a process was killed.
    """
    tokenizer, settings = job
    next_id = windows.FIRST_UNIQUE_ID
    for window in (
        windows.windows(questions[:LOGGED_EXAMPLES], tokenizer, settings)
        if num_workers > 1
        else cut()
    ):
        values = windows.features(window, tokenizer, settings.max_seq_length)
        if window.example_index < LOGGED_EXAMPLES:
            windows.log_window(window, values)
        yield values
        next_id += 1
    if num_workers > 1:
        others = questions[LOGGED_EXAMPLES:]
        yield from features(others, job, num_workers, next_id)


def features(
    questions: Sequence[SquadExample],
    job: Job,
    num_workers: int,
    first_id: int,
) -> Iterator[dict[str, "np.ndarray"]]:
    """Yields the features of each window; see `windows.features`.

    Args:
        questions: in the order of the records.
        job: what is done with them.
        num_workers: processes, at most one for 64 questions.
        first_id: the unique_id of the first window.

    Raises:
        UserError: a process was killed.
    """
    import numpy as np

    parts = [
        (number, questions[start : start + _PART])
        for number, start in enumerate(range(0, len(questions), _PART))
    ]
    unique_id = first_id
    for found in _in_order(parts, job, num_workers):
        for row in zip(*found.values(), strict=True):
            numbered = {"unique_ids": np.array([unique_id])}
            yield {**dict(zip(found, row, strict=True)), **numbered}
            unique_id += 1


def _in_order(
    parts: Sequence[tuple[int, Sequence[SquadExample]]],
    job: Job,
    num_workers: int,
) -> Iterator[dict[str, "np.ndarray"]]:
    """Yields what workers make of the parts, which are numbered from 0."""
    waiting: dict[int, dict[str, np.ndarray]] = {}
    following = 0
    with worker_pool.WorkerPool(
        max(1, min(num_workers, len(parts))), functools.partial(Worker, job)
    ) as pool:
        for (number, _), found in pool.run("features", parts):
            waiting[number] = found
            while following in waiting:
                yield waiting.pop(following)
                following += 1
