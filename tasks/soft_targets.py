"""What a teacher says of examples: from its logits to fields of records.

All of it is a table of float32, as many rows as there is something to say of:
an example, or a word of one. So the teacher may cut texts into other pieces
than the student:

    kind of logits            a row is of                a record gets
    classes, labels, number   a record: its logits       teacher_logits [L]
    choices                   a record: a score of each  teacher_logits [C]
    words                     a word: its logits         teacher_logits [L, S]
    tokens                    a record: start and end    teacher_…_logits [S]

Letters of shapes: C choices, S sequence, L labels. Imports without TensorFlow.
"""

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bert.data.records.fields import Field
from bert.tasks import spec
from bert.tasks.record_sets import Features

if TYPE_CHECKING:
    import numpy as np

    from bert.tasks.predictions import Select


class SoftTargets(abc.ABC):
    """What a teacher says, of one kind.

    Args:
        names: of the outputs.
        inputs: the student's field `input_ids`.
        num_outputs: numbers that the head gives, L.
        order: for each of the student's labels its number at the teacher's;
            None: the same.
    """

    def __init__(
        self,
        names: Sequence[str],
        inputs: Field,
        num_outputs: int,
        order: Sequence[int] | None = None,
    ):
        self._names = names
        self._inputs = inputs
        self._num_outputs = num_outputs
        self._order = order

    @property
    @abc.abstractmethod
    def fields(self) -> Sequence[Field]:
        """What a record gets."""

    @property
    def select(self) -> "Select":
        """What is kept of a teacher's outputs."""
        return lambda model, outputs, batch: {
            name: outputs[name] for name in self._names
        }

    @abc.abstractmethod
    def rows(self, answer: "Mapping[str, np.ndarray]") -> "np.ndarray":
        """Returns the rows of a record, float32 [n, …].

        Args:
            answer: what `select` has kept of it.
        """

    @abc.abstractmethod
    def add(
        self, table: "np.ndarray", features: Iterable[Features]
    ) -> Iterator[Features]:
        """Yields the features of the student's records, with all rows."""

    def _ordered(self, logits: "np.ndarray") -> "np.ndarray":
        return logits if self._order is None else logits[..., self._order]


class _OfRecords(SoftTargets):
    """Logits of whole records."""

    @property
    def fields(self):
        name = spec.TEACHER_PREFIX + self._names[0]
        return [Field(name, self._num_logits, "float32")]

    @property
    def _num_logits(self) -> int:
        return self._num_outputs

    def rows(self, answer):
        logits = answer[self._names[0]].reshape(1, -1)
        return self._ordered(logits)

    def add(self, table, features):
        for row, own in zip(table, features, strict=True):
            yield {**own, self.fields[0].name: row}


class _OfChoices(_OfRecords):
    """Scores of the sequences of a record."""

    @property
    def _num_logits(self):
        return self._inputs.sequences


class _OfWords(SoftTargets):
    """Logits of words, which stand at first pieces.

    Each word is labelled in one window, and so the words of the windows in
    turn are those of the sentences, whoever has cut them.
    """

    @property
    def fields(self):
        return [
            Field(
                spec.TEACHER_PREFIX + self._names[0],
                self._num_outputs * self._inputs.length,
                "float32",
                per_token=True,
                sequences=self._num_outputs,
            )
        ]

    @property
    def select(self):
        return lambda model, outputs, batch: {
            self._names[0]: outputs[self._names[0]],
            "label_mask": batch["label_mask"],
        }

    def rows(self, answer):
        logits = answer[self._names[0]][answer["label_mask"] == 1]
        return self._ordered(logits)

    def add(self, table, features):
        import numpy as np

        done = 0
        for own in features:
            places = np.flatnonzero(own["label_mask"])
            found = np.zeros([self._num_outputs, self._inputs.length], "f4")
            found[:, places] = table[done : done + len(places)].T
            done += len(places)
            yield {**own, self.fields[0].name: found.reshape(-1)}
        assert done == len(table), (done, len(table))


class _OfTokens(SoftTargets):
    """Logits of the tokens that teacher and student both see."""

    @property
    def fields(self):
        length = self._inputs.length
        return [
            Field(spec.TEACHER_PREFIX + name, length, "float32", per_token=True)
            for name in self._names
        ]

    def rows(self, answer):
        import numpy as np

        # The padding that a batch was cut to may be missing.
        found = np.zeros([1, len(self._names), self._inputs.length], "f4")
        for number, name in enumerate(self._names):
            found[0, number, : len(answer[name])] = answer[name]
        return found

    def add(self, table, features):
        for row, own in zip(table, features, strict=True):
            soft = zip(self.fields, row, strict=True)
            yield {**own, **{field.name: values for field, values in soft}}


_KINDS: Mapping[str, Callable[..., SoftTargets]] = {
    "choices": _OfChoices,
    "words": _OfWords,
    "tokens": _OfTokens,
}


def make(
    logits: Mapping[str, str],
    inputs: Field,
    num_outputs: int,
    order: Sequence[int] | None = None,
) -> SoftTargets:
    """Returns what becomes of a teacher's logits.

    Args:
        logits: `Spec.logits`.
        inputs: see `SoftTargets`.
        num_outputs: see there.
        order: see there.
    """
    (kind,) = {*logits.values()}
    of_kind = _KINDS.get(kind, _OfRecords)
    return of_kind([*logits], inputs, num_outputs, order)
