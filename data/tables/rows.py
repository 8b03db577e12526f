"""Lines of text files as rows, each with its place in the file.

Byte-order marks, blank lines and CRLF are accepted; bytes that are not UTF-8
are an error that names the line. Imports neither TensorFlow nor NumPy.
"""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.errors import UserError
from bert.files import text_input

_SHOWN_CHARS = 80
_MOST_OF_A_HEADER = 2**20
_LARGEST_FLOAT32 = 3.4028234663852886e38


class Place(NamedTuple):
    """A line of a file, for messages."""

    file: str
    line: int
    content: str

    def fault(
        self, expected: str, advice: str = "correct the line or remove it"
    ) -> UserError:
        """Returns what to raise for a line that is not as `expected`."""
        return UserError(
            f"{self.file}, line {self.line}: expected {expected}. Received: "
            f"{shorten(self.content)}; {advice}."
        )


def number(cell: Any, place: Place) -> float:
    """Returns a label that is a number; UserError where it is none."""
    # What only Python takes for numbers: True, 1_000.
    is_other = isinstance(cell, bool) or "_" in str(cell)
    try:
        value = math.nan if is_other else float(cell)
    except (OverflowError, TypeError, ValueError):
        value = math.nan
    if not abs(value) <= _LARGEST_FLOAT32:
        raise place.fault(f"a finite number as label, found {shorten(cell)}")
    return value


def some(names: Sequence[str]) -> str:
    """Returns the first ten names, as a message lists them."""
    shown = list(map(quoted, names[:10]))
    more = f", … ({len(names)} in all)" if len(names) > 10 else ""
    return ", ".join(shown) + more


def quoted(name: object) -> str:
    """Returns a name for a list of names; in quotes where it needs them.

    That is where it is empty, has a comma, or begins or ends with a space. The
    end of a long one is cut off; what cannot be seen is escaped.
    """
    text = str(name)
    if not text or "," in text or text != text.strip():
        return shorten(text)
    short = text[:_SHOWN_CHARS]
    short = short if short.isprintable() else repr(short)[1:-1]
    return short + "…" * (len(text) > _SHOWN_CHARS)


def shorten(value: object) -> str:
    """Returns a text in quotes, or a value; its end cut off if it is long."""
    text = value if isinstance(value, str) else repr(value)
    short = text[:_SHOWN_CHARS]
    shown = repr(short) if text is value else short
    return shown + "…" * (len(text) > len(short))


class Row(list):
    """The fields of a line: a list of str.

    Attributes:
        place: where it stands, and the line, or lines, as they stand there.
            Its number is the last one's, where a quoted field goes over
            several lines.
    """

    __slots__ = ("place",)

    def __init__(self, fields: Sequence[str], place: Place) -> None:
        super().__init__(fields)
        self.place = place

    def field(self, index: int, meaning: str) -> str:
        """Returns a field.

        Args:
            index: its column, from 0; -1 is the last.
            meaning: what stands there; for messages.

        Raises:
            UserError: the row is too short.
        """
        if -len(self) <= index < len(self):
            return self[index]
        raise self.place.fault(
            f"at least {index + 1} columns, {meaning} in column {index} "
            f"(counted from 0), separated by tabs; there are {len(self)}"
        )


def warn_of(found: Sequence[Row], text: str) -> None:
    """Warns of rows of a file, if there are any.

    Args:
        found: the rows.
        text: the warning; gets their `count`, and the first one's `line`.
    """
    if found:
        first = found[0].place
        text = text.format(count=len(found), line=first.line)
        logging.warning("%s: %s", first.file, text)


def read_rows(
    path: str,
    *,
    delimiter: str = "\t",
    quotechar: str | None = None,
    keeps_blank: bool = False,
) -> list[Row]:
    r"""Reads a file of rows, less its blank lines; see `split_rows`.

    Args:
        path: UTF-8, local or anything that tf.io.gfile knows.
        delimiter: stands between fields.
        quotechar: see `split_rows`.
        keeps_blank: see `split_rows`.

    Raises:
        UserError: the file cannot be read, is no text, or has no rows.
    """
    return split_rows(
        read_text(path),
        path,
        delimiter=delimiter,
        quotechar=quotechar,
        keeps_blank=keeps_blank,
    )


def split_rows(
    text: str,
    path: str,
    *,
    delimiter: str,
    quotechar: str | None,
    keeps_blank: bool,
) -> list[Row]:
    """Returns the rows of a text, less its blank lines.

    A line that has nothing but delimiters is not blank: its fields are empty.

    Args:
        text: of the file.
        path: the file, for messages.
        delimiter: stands between fields.
        quotechar: None: quotes are text as any other, and a line is a row.
            Else as Python's csv module reads it: a quoted field may hold
            delimiters and line ends.
        keeps_blank: whether, where the first row has one field, blank lines
            after it and before the last row are rows, too: an empty field.
            A warning counts them.

    Raises:
        UserError: there are none, or quotes are not closed.
    """
    found = _rows(text, path, delimiter, quotechar)
    rows = _with_blank(found) if keeps_blank else list(filter(None, found))
    if not rows:
        raise empty_file(path)
    return rows


def read_tsv(path: str, quotechar: str | None = None) -> list[Row]:
    """Reads a file of rows as the original does: each line is one.

    A blank line has no fields, a carriage return is no part of the text, and a
    byte-order mark is.

    Args:
        path: see `read_rows`.
        quotechar: as Python's csv module takes it.

    Raises:
        UserError: the file cannot be read or is not UTF-8.
    """
    csv.field_size_limit(2**31 - 1)
    text = _utf_8(_read(path), path).replace("\r", "")
    lines = list(io.StringIO(text, newline="\n"))
    found = []
    start = 0
    reader = csv.reader(lines, delimiter="\t", quotechar=quotechar)
    for fields in reader:
        content = "".join(lines[start : reader.line_num]).rstrip("\n")
        found.append(Row(fields, Place(path, reader.line_num, content)))
        start = reader.line_num
    return found


def sound_rows(found: Sequence[list[str]], path: str) -> list[list[str]]:
    """Returns the rows of `read_tsv` that are not blank.

    Args:
        found: the rows; without the byte-order mark afterwards.
        path: the file, for messages.

    Raises:
        UserError: there is none, or one has NUL bytes.
    """
    rows = [
        row for row in found if len(row) > 1 or "".join(row).strip("\ufeff \t")
    ]
    if not rows:
        raise empty_file(path)
    rows[0][0] = rows[0][0].removeprefix("\ufeff")
    for row in rows:
        if isinstance(row, Row) and "\0" in row.place.content:
            raise _no_text(path, row.place.line, 0, "no text")
    return rows


def first_row(
    text: str, path: str, delimiter: str, quotechar: str | None
) -> Row:
    """Returns the first row of a text that `split_rows` returns."""
    found = _rows(text[:_MOST_OF_A_HEADER], path, delimiter, quotechar)
    for row in filter(None, found):
        return row
    raise empty_file(path)


def _rows(
    text: str, path: str, delimiter: str, quotechar: str | None
) -> Iterator[Row]:
    if quotechar is None:
        return _plain_rows(text, path, delimiter)
    return _quoted_rows(text, path, delimiter, quotechar)


def split_lines(text: str) -> list[str]:
    r"""Returns a text's lines without their ends.

    They end at "\n" or "\r\n" alone, or, where there is no "\n", at "\r", as
    in files of the first Macs. U+2028 and the like are text.
    """
    if "\n" not in text:
        return text.split("\r")
    return [line.removesuffix("\r") for line in text.split("\n")]


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields (number from 1, line) of the lines that are not blank."""
    for number, line in enumerate(split_lines(text), start=1):
        if line.strip():
            yield number, line


def read_text(path: str) -> str:
    """Returns a UTF-8 file's text, unpacked, without its byte-order mark.

    Raises:
        UserError: it cannot be read, is not UTF-8, or has NUL bytes.
    """
    return decoded(_read(path), path)


def decoded(data: bytes, path: str) -> str:
    """Returns what `read_text` makes of a file's bytes."""
    text = _utf_8(data, path)
    if "\0" in text:
        before = text[: text.index("\0")]
        raise _no_text(path, before.count("\n") + 1, 0, "no text")
    return text.removeprefix("\ufeff")


def _read(path: str) -> bytes:
    try:
        return text_input.read(path)
    except OSError as error:
        raise UserError(
            f"Expected a text file; cannot read {path}: "
            f"{error.strerror or error}. Check the flag that names it or its "
            "folder."
        ) from error


def _utf_8(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"no UTF-8 ({error.reason})"
        raise _no_text(path, line, data[error.start], what) from error


def _no_text(path: str, line: int, byte: int, what: str) -> UserError:
    return UserError(
        f"{path}, line {line}: expected text in UTF-8. Received: the byte "
        f"0x{byte:02x}, which is {what}; convert the file to UTF-8 or "
        "correct the line."
    )


def empty_file(path: str) -> UserError:
    """Returns what to raise for a file without rows."""
    return UserError(
        f"{path}: expected rows of text. Received: an empty file "
        f"({os.path.basename(path)} has nothing but blank lines); create it "
        "again."
    )


def _with_blank(found: Iterable[Row]) -> list[Row]:
    """Makes blank lines between rows of one field rows, too."""
    rows: list[Row] = []
    blank: list[Row] = []  # since the last row
    kept: list[Row] = []
    for row in found:
        if row:
            rows += [*blank, row]
            kept += blank
            blank = []
        elif rows and len(rows[0]) == 1:
            blank.append(Row([""], row.place))
    warn_of(
        kept,
        "{count} blank line(s), the first in line {line}, are read as empty "
        "texts.",
    )
    return rows


def _plain_rows(text: str, path: str, delimiter: str) -> Iterator[Row]:
    """Yields a row for each line; one without fields for a blank line."""
    width = 0
    for number, line in enumerate(split_lines(text), start=1):
        fields = line.split(delimiter)
        # TABs alone are fields, but not where there can be only one.
        if not line.strip() and (len(fields) == 1 or width == 1):
            fields = []
        width = width or len(fields)
        yield Row(fields, Place(path, number, line))


def _quoted_rows(
    text: str, path: str, delimiter: str, quotechar: str
) -> Iterator[Row]:
    """Yields rows as `_plain_rows` does."""
    # A row may be as long as the file: an unclosed quote is found at its end.
    csv.field_size_limit(2**31 - 1)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quotechar,
        strict=True,
    )
    start = 1
    try:
        for fields in reader:
            is_blank = len(fields) == 1 and fields[0].isspace()
            fields = [] if is_blank else fields
            content = "".join(lines[start - 1 : reader.line_num])
            place = Place(path, reader.line_num, content.rstrip("\r\n"))
            yield Row(fields, place)
            start = reader.line_num + 1
    except csv.Error as error:
        line = lines[start - 1].rstrip("\r\n")
        raise Place(path, start, line).fault(
            f"rows as the csv module reads them ({error})",
            "close the quotes, and double those inside a field",
        ) from error
