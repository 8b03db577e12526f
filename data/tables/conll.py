"""CoNLL files: a word a line with its label, for NER or POS.

EU NNP B-ORG        columns between spaces or TABs
rejects VBZ O
                    a blank line ends a sentence
Peter NNP B-PER
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bert.data.tables import rows
from bert.errors import UserError

OUTSIDE = "O"
_DOCUMENT_START = "-DOCSTART-"


class Sentence(NamedTuple):
    """Words that belong together.

    Attributes:
        words: as in the file.
        labels: one for each word; None in a file without labels.
        line: the line of the first word, from 1; the others follow it.
    """

    words: list[str]
    labels: list[str] | None
    line: int


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
    blank line are accepted; lines with -DOCSTART- are left out.

    Args:
        path: local, or anything that tf.io.gfile knows.
        columns: where words and labels are.
        needs_labels: whether a file without a label column is an error, and
            a label that has spaces in it, too.

    Raises:
        UserError: the file cannot be read, has no words, or a line breaks
            these rules; it names the line.
    """
    reader = _Reader(path, columns, needs_labels)
    lines = rows.split_lines(rows.read_text(path))
    for number, line in enumerate(lines, start=1):
        reader.add(rows.Place(path, number, line))
    return reader.corpus()


class _Reader:
    """Collects a file's sentences line by line."""

    def __init__(self, path: str, columns: Columns, needs_labels: bool):
        self._path = path
        self._asked = columns
        self._needs_labels = needs_labels
        self._sentences: list[Sentence] = []
        self._separator = ""
        self._first_line = self._num_columns = 0
        self._has_labels = False
        self._goes_on = False  # whether the next word joins the last sentence

    def add(self, place: rows.Place) -> None:
        """Adds a line; its content is without the line end."""
        columns = self._split(place.content)
        if not columns or _DOCUMENT_START in columns:
            self._goes_on = False
            return
        if not self._first_line:
            self._look_at_first(place, columns)
        if len(columns) != self._num_columns or not all(columns):
            between = "TABs" if self._separator == "\t" else "spaces"
            raise place.fault(
                f"{self._num_columns} column(s) between {between}, as in line "
                f"{self._first_line}; {self._what_is_wrong(columns)}",
                "give every word a line of as many columns",
            )
        if not self._goes_on:
            labels: list[str] | None = [] if self._has_labels else None
            self._sentences.append(Sentence([], labels, place.line))
            self._goes_on = True
        sentence = self._sentences[-1]
        sentence.words.append(columns[self._asked.token])
        if sentence.labels is not None:
            label = columns[self._asked.label]
            if self._needs_labels and label.split() != [label]:
                raise place.fault(
                    f"a label without spaces in column {self._asked.label} "
                    f"(--label_column), found {rows.shorten(label)}",
                    "correct the line, or name the labels' column; other "
                    "tables than CoNLL files are for run_classifier.py",
                )
            sentence.labels.append(label)

    def corpus(self) -> Corpus:
        """Returns what was collected."""
        if not self._sentences:
            raise UserError(
                f"{self._path}: expected a word a line, with its label, and "
                "a blank line after each sentence. Received: a file without "
                "words."
            )
        return Corpus(self._path, self._sentences, self._separator)

    def _what_is_wrong(self, columns: list[str]) -> str:
        if len(columns) != self._num_columns:
            return f"there are {len(columns)}"
        # From 0; the flags may count from the end.
        token, label = (
            _position(column, self._num_columns) for column in self._asked
        )
        empty = columns.index("")
        names = {label: "the label", token: "the word"}
        return f"{names.get(empty, f'column {empty}')} is empty"

    def _split(self, line: str) -> list[str]:
        if self._separator == "\t" or (not self._separator and "\t" in line):
            line = line.rstrip(" \t")
            return [c.strip(" ") for c in line.split("\t")] if line else []
        return [column for column in re.split("[ \t]+", line) if column]

    def _look_at_first(self, place: rows.Place, columns: list[str]) -> None:
        self._first_line, self._num_columns = place.line, len(columns)
        is_tab = "\t" in place.content.rstrip(" \t")
        self._separator = "\t" if is_tab else " "
        token = _position(self._asked.token, len(columns))
        label = _position(self._asked.label, len(columns))
        self._has_labels = label is not None and label != token
        if token is None or (self._needs_labels and not self._has_labels):
            wanted = f"a word in column {self._asked.token} (--token_column)"
            if self._needs_labels:
                wanted += (
                    f" and its label in column {self._asked.label} "
                    "(--label_column; -1 is the last)"
                )
            raise place.fault(
                f"{wanted}, found {len(columns)} column(s)",
                "separate the columns by a space or TAB, or name others",
            )


def _position(column: int, num_columns: int) -> int | None:
    """Returns a column's number from 0, or None where there is none."""
    position = column + num_columns if column < 0 else column
    return position if 0 <= position < num_columns else None


def labels_of(corpus: Corpus) -> list[str]:
    """Returns the labels that a corpus has: O first, the others sorted."""
    found = {label for s in corpus.sentences for label in s.labels or ()}
    return sorted(found, key=lambda label: (label != OUTSIDE, label))


def check_labels(corpus: Corpus, labels: Sequence[str], origin: str) -> None:
    """Raises UserError for a corpus's first label that is not among `labels`.

    Args:
        corpus: with labels.
        labels: those that there are.
        origin: where they come from, for the message.
    """
    known = set(labels)
    for sentence in corpus.sentences:
        for index, label in enumerate(sentence.labels or ()):
            if label not in known:
                word = sentence.words[index]
                place = rows.Place(
                    corpus.path, sentence.line + index, f"{word} {label}"
                )
                raise place.fault(
                    f"one of the labels {rows.some(labels)} ({origin}), found "
                    f"{rows.shorten(label)}",
                    "correct the line, or name all labels with --labels (and "
                    "train anew)",
                )
