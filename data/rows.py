"""Lines of text files as rows that know where they stand.

Byte-order marks, blank lines and CRLF are no problem; what is none of UTF-8
text is an error that names the line. Imports neither TensorFlow nor NumPy.
"""

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from errors import UserError

_SHOWN_CHARS = 80
_LARGEST_FLOAT32 = 3.4028234663852886e38


class Place(NamedTuple):
    """Where something stands in a file, and what stands there."""

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


def number(cell: object, place: Place) -> float:
    """Returns a label that is a number; UserError where it is none."""
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (OverflowError, TypeError, ValueError):
        value = math.nan
    if not abs(value) <= _LARGEST_FLOAT32:
        raise place.fault(f"a finite number as label, found {cell!r}")
    return value


def some(names: Sequence[str]) -> str:
    """Returns the first ten names, as a message lists them."""
    more = f", … ({len(names)} in all)" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


def shorten(text: str) -> str:
    """Returns the text in quotes, its end cut off if it is long."""
    if len(text) <= _SHOWN_CHARS:
        return repr(text)
    return repr(text[:_SHOWN_CHARS]) + "…"


class Row(list):
    """The fields of a line: a list of str.

    Attributes:
        file: the file's path.
        line: the line's number in it, from 1 (the last one's, where a quoted
            field goes over several lines).
    """

    __slots__ = ("file", "line")

    def __init__(self, fields: Sequence[str], file: str, line: int) -> None:
        super().__init__(fields)
        self.file = file
        self.line = line

    @property
    def place(self) -> Place:
        """Where the row stands, for messages."""
        return Place(self.file, self.line, "\t".join(self))

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


def read_rows(
    path: str, *, delimiter: str = "\t", quotechar: str | None = None
) -> list[Row]:
    r"""Reads a file of rows, less its blank lines.

    Args:
        path: UTF-8, local or anything that tf.io.gfile knows.
        delimiter: stands between fields.
        quotechar: None: quotes are text as any other, and a line is a row.
            Else as Python's csv module reads it: a quoted field may hold
            delimiters and line ends.

    Raises:
        UserError: the file cannot be read, is no text, or has no rows.
    """
    text = read_text(path)
    if quotechar is None:
        rows = [
            Row(line.split(delimiter), path, number)
            for number, line in numbered_lines(text)
        ]
    else:
        rows = list(_quoted_rows(text, path, delimiter, quotechar))
    if not rows:
        raise _empty(path)
    return rows


def read_json_lines(path: str) -> list[tuple[Place, dict]]:
    """Reads a JSON object from each line that is not blank.

    Raises:
        UserError: the file cannot be read, is no text or has no rows; or a
            line is no JSON object.
    """
    objects = []
    for number, line in numbered_lines(read_text(path)):
        place = Place(path, number, line)
        try:
            value = json.loads(line)
            # An escape may make half a character, which nothing can write.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or "not a sound text"
            raise place.fault(f"a JSON object ({reason})") from error
        if not isinstance(value, dict):
            raise place.fault('a JSON object ({"key": value, …})')
        objects.append((place, value))
    if not objects:
        raise _empty(path)
    return objects


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yields (number from 1, line) of the lines that are not blank.

    They end at "\n" or "\r\n" alone: U+2028 and the like are text.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if line.strip():
            yield number, line


def read_text(path: str) -> str:
    """Returns a UTF-8 file's text without its byte-order mark.

    Raises:
        UserError: it cannot be read, is not UTF-8, or has NUL bytes.
    """
    try:
        data = _read_bytes(path)
    except OSError as error:
        raise UserError(
            f"Expected a text file; cannot read {path}: "
            f"{error.strerror or error}. Check the flag that names it or its "
            "folder."
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(
            path, data, error.start, f"no UTF-8 ({error.reason})"
        ) from error
    if "\0" in text:
        raise _no_text(path, data, data.index(b"\0"), "no text")
    return text


def exists(path: str) -> bool:
    """Returns whether there is a file or folder."""
    if "://" not in path:
        return os.path.exists(path)
    import tensorflow as tf

    return tf.io.gfile.exists(path)


def _no_text(path: str, data: bytes, at: int, what: str) -> UserError:
    line = data.count(b"\n", 0, at) + 1
    return UserError(
        f"{path}, line {line}: expected text in UTF-8. Received: the byte "
        f"0x{data[at]:02x}, which is {what}; convert the file to UTF-8 or "
        "correct the line."
    )


def _empty(path: str) -> UserError:
    return UserError(
        f"{path}: expected rows of text. Received: an empty file "
        f"({os.path.basename(path)} has nothing but blank lines); create it "
        "again."
    )


def _quoted_rows(
    text: str, path: str, delimiter: str, quotechar: str
) -> Iterator[Row]:
    # A row may be as long as the file: an unclosed quote is found at its end.
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quotechar,
        strict=True,
    )
    start = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield Row(fields, path, reader.line_num)
            start = reader.line_num + 1
    except csv.Error as error:
        line = text.split("\n")[start - 1]
        raise Place(path, start, line).fault(
            f"rows as the csv module reads them ({error})",
            "close the quotes, and double those inside a field",
        ) from error


def _read_bytes(path: str) -> bytes:
    if "://" not in path:
        with open(path, "rb") as file:
            return file.read()
    import tensorflow as tf  # only here: seconds that local files don't need

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return file.read()
    except (tf.errors.OpError, NotImplementedError) as error:
        raise OSError(str(error)) from error
