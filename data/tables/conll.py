"""CoNLL files: a word a line with its label, for NER or POS.

EU NNP B-ORG        columns between spaces or TABs
rejects VBZ O
                    a blank line ends a sentence
Peter NNP B-PER

What is no word of a sentence is left out (`conll_lines`).
"""

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from bert.data.tables import conll_lines, rows
from bert.data.tables.conll_lines import Line, Lines
from bert.data.tables.label_forms import in_order
from bert.errors import UserError

OUTSIDE = "O"
# What CoNLL-U writes where there is nothing.
_NOTHING = "_"


class Sentence(NamedTuple):
    """Words that belong together.

    Attributes:
        words: as in the file.
        labels: one for each word; None in a file without labels.
        line: the line of the first word, from 1; the others follow it.
        left_out: the lines between them that are none.
    """

    words: list[str]
    labels: list[str] | None
    line: int
    left_out: tuple[int, ...] = ()

    def line_of(self, index: int) -> int:
        """Returns the line of a word."""
        lines = (
            line
            for line in itertools.count(self.line)
            if line not in self.left_out
        )
        return next(itertools.islice(lines, index, None))


class Corpus(NamedTuple):
    """A CoNLL file.

    Attributes:
        path: where it is.
        sentences: in its order; at least one.
        separator: what stands between its columns, TAB or space.
    """

    path: str
    sentences: list[Sentence]
    separator: str


class Columns(NamedTuple):
    """Which columns are read, counted from 0, or from -1 backwards.

    Attributes:
        token: the flag token_column.
        label: the flag label_column.
    """

    token: int = 0
    label: int = -1


def read_conll(path: str, columns: Columns, needs_labels: bool) -> Corpus:
    """Reads a CoNLL file: UTF-8, a word a line, blank lines in between.

    The first word's line decides: where it has a TAB, columns are what stands
    between TABs (and may hold spaces), else what stands between spaces. All
    lines have as many columns. A byte-order mark, CRLF and more than one
    blank line are accepted; lines with -DOCSTART-, comments, and CoNLL-U's
    ranges and empty nodes are left out.

    Args:
        path: local, or anything that tf.io.gfile knows.
        columns: where words and labels are.
        needs_labels: whether a file without a label column is an error, and
            a label that has spaces in it, too.

    Raises:
        UserError: the file cannot be read, has no words, or a line breaks
            these rules; it names the line.
    """
    lines = [
        rows.Place(path, number, line)
        for number, line in enumerate(
            rows.split_lines(rows.read_text(path)), start=1
        )
    ]
    found = conll_lines.split(lines)
    if found is None:
        raise UserError(
            f"{path}: expected a word a line, with its label, and a blank "
            "line after each sentence. Received: a file without words."
        )
    reader = _Reader(found, columns, needs_labels)
    sentences = conll_lines.words_of(found, reader.token, reader.label)
    return Corpus(path, list(map(reader.sentence, sentences)), found.separator)


class _Reader:
    """Makes sentences of lines.

    Args:
        lines: of the file.
        asked: where words and labels are.
        needs_labels: see `read_conll`.

    Attributes:
        token: the column of the words, from 0.
        label: that of the labels; None: there are none.
    """

    def __init__(self, lines: Lines, asked: Columns, needs_labels: bool):
        self._first = lines.first
        self._separator = lines.separator
        self._asked = asked
        self._needs_labels = needs_labels
        width = len(self._first.columns)
        token = _position(asked.token, width)
        label = _position(asked.label, width)
        self.label = None if label == token else label
        if token is None or (needs_labels and self.label is None):
            raise self._lacks_columns()
        self.token = token

    def sentence(self, lines: Sequence[Line]) -> Sentence:
        """Returns the sentence that lines are; UserError for a bad one."""
        for line in lines:
            self._check(line)
        words = [line.columns[self.token] for line in lines]
        labels = None
        if self.label is not None:
            labels = [line.columns[self.label] for line in lines]
        first, last = lines[0].place.line, lines[-1].place.line
        left_out: tuple[int, ...] = ()
        if last - first >= len(lines):
            numbers = {line.place.line for line in lines}
            left_out = tuple(n for n in range(first, last) if n not in numbers)
        return Sentence(words, labels, first, left_out)

    def _check(self, line: Line) -> None:
        columns, width = line.columns, len(self._first.columns)
        if len(columns) != width or not all(columns):
            between = "TABs" if self._separator == "\t" else "spaces"
            raise line.place.fault(
                f"{width} column(s) between {between}, as in line "
                f"{self._first.place.line}; {self._what_is_wrong(columns)}",
                "give every word a line of as many columns",
            )
        if self.label is None or not self._needs_labels:
            return
        label = columns[self.label]
        if label.split() != [label]:
            raise line.place.fault(
                f"a label without spaces in column {self._asked.label} "
                f"(--label_column), found {rows.shorten(label)}",
                "correct the line, or name the labels' column; other tables "
                "are for run_classifier.py",
            )

    def _what_is_wrong(self, columns: Sequence[str]) -> str:
        if len(columns) != len(self._first.columns):
            return f"there are {len(columns)}"
        empty = columns.index("")
        names = {self.label: "the label", self.token: "the word"}
        return f"{names.get(empty, f'column {empty}')} is empty"

    def _lacks_columns(self) -> UserError:
        wanted = f"a word in column {self._asked.token} (--token_column)"
        if self._needs_labels:
            wanted += (
                f" and its label in column {self._asked.label} "
                "(--label_column; -1 is the last)"
            )
        return self._first.place.fault(
            f"{wanted}, found {len(self._first.columns)} column(s)",
            "separate the columns by a space or TAB, or name others",
        )


def _position(column: int, num_columns: int) -> int | None:
    """Returns a column's number from 0, or None where there is none."""
    position = column + num_columns if column < 0 else column
    return position if 0 <= position < num_columns else None


def labels_of(corpus: Corpus) -> list[str]:
    """Returns the labels of a corpus: O first, the others in their order.

    Raises:
        UserError: `_` is among them, which stands for none.
    """
    found = {label for s in corpus.sentences for label in s.labels or ()}
    if _NOTHING in found and len(found) > 1:
        _check_labels(
            corpus,
            found - {_NOTHING},
            f"a label in each line ({_NOTHING} stands for none)",
            "correct the line, name another --label_column, or, if it is "
            "meant, name all labels with --labels",
        )
    others = in_order(found - {OUTSIDE})
    return [OUTSIDE, *others] if OUTSIDE in found else others


def check_labels(corpus: Corpus, labels: Sequence[str], origin: str) -> None:
    """Raises UserError for a corpus's first label that is not among `labels`.

    Args:
        corpus: with labels.
        labels: those that there are.
        origin: where they come from, for the message.
    """
    _check_labels(
        corpus,
        labels,
        f"one of the labels {rows.some(labels)} ({origin})",
        "correct the line, or name all labels with --labels (and train anew)",
    )


def _check_labels(
    corpus: Corpus, known: Collection[str], expected: str, advice: str
) -> None:
    known = set(known)
    for sentence in corpus.sentences:
        for index, label in enumerate(sentence.labels or ()):
            if label not in known:
                place = rows.Place(
                    corpus.path,
                    sentence.line_of(index),
                    f"{sentence.words[index]} {label}",
                )
                raise place.fault(
                    f"{expected}, found {rows.shorten(label)}", advice
                )
