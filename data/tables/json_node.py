"""Values of a JSON file, each with its place there.

Imports neither TensorFlow nor NumPy.
"""

import collections
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bert.data.tables import rows
from bert.data.tables.rows import Place
from bert.errors import UserError

_SHOWN_CHARS = 80
_NAMES_OF_TYPES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "an integer",
    bool: "true or false",
}


class Node(NamedTuple):
    """A value of a JSON file, and where it stands.

    Attributes:
        file: the file's path.
        place: such as `data[0].paragraphs[3]`; "" for the whole.
        value: what json made of it.
    """

    file: str
    place: str
    value: Any

    def child(self, key: str, kind: type) -> "Node":
        """Returns what an object has under a key.

        Raises:
            UserError: nothing, or what is not of the type.
        """
        if key not in self.value:
            raise self.fault(
                f'expected the key "{key}"',
                f"the keys {rows.some(list(self.value)) or '(none)'}",
            )
        place = f"{self.place}.{key}" if self.place else key
        return Node(self.file, place, self.value[key]).check(kind)

    def items(self, kind: type) -> Iterator["Node"]:
        """Yields what a list has; UserError for what is not of the type."""
        for number, value in enumerate(self.value):
            place = f"{self.place}[{number}]"
            yield Node(self.file, place, value).check(kind)

    def check(self, kind: type) -> "Node":
        """Returns the node itself; UserError if it is not of the type."""
        # To Python, True is an int.
        is_bool = isinstance(self.value, bool)
        if not isinstance(self.value, kind) or (is_bool and kind is not bool):
            shown = json.dumps(self.value, ensure_ascii=False)
            if len(shown) > _SHOWN_CHARS:
                shown = f"{shown[:_SHOWN_CHARS]}…"
            raise self.fault(f"expected {_NAMES_OF_TYPES[kind]}", shown)
        return self

    def fault(
        self, expected: str, received: str, advice: str = ""
    ) -> UserError:
        """Returns what to raise for a value that is not as expected."""
        where = f"{self.file}, {self.place}" if self.place else self.file
        hint = f"; {advice}" if advice else ""
        return UserError(f"{where}: {expected}. Received: {received}{hint}.")


def read(path: str) -> Node:
    """Reads a JSON file.

    Raises:
        UserError: it cannot be read, is not UTF-8, is empty or no JSON, or an
            object has a key twice.
    """
    text = rows.read_text(path)
    if not text.strip():
        raise UserError(f"{path}: expected JSON. Received: an empty file.")
    try:
        return Node(path, "", _parse(text))
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        around = line[max(error.colno - 21, 0) : error.colno + 40].strip()
        raise UserError(
            f"{path}, line {error.lineno}, column {error.colno}: expected "
            f"JSON ({error.msg}). Received: {rows.shorten(around)}."
        ) from error
    except ValueError as error:
        raise UserError(
            f"{path}: expected sound JSON ({error}). Received: "
            f"{rows.shorten(text.strip())}."
        ) from error


def read_lines(path: str) -> list[tuple[Place, dict]]:
    """Reads a JSON object from each line that is not blank.

    Raises:
        UserError: the file cannot be read, is no text or has no rows; or a
            line is no JSON object, or one that has a key twice.
    """
    places = (
        Place(path, number, line)
        for number, line in rows.numbered_lines(rows.read_text(path))
    )
    objects = [(place, parse_line(place)) for place in places]
    if not objects:
        raise rows.empty_file(path)
    return objects


def parse_line(place: Place) -> dict:
    """Returns the JSON object that a line is.

    Raises:
        UserError: it is none, or one that has a key twice.
    """
    try:
        value = parse_text(place.content)
    except ValueError as error:
        raise place.fault(f"a JSON object ({error})") from error
    if not isinstance(value, dict):
        raise place.fault('a JSON object ({"key": value, …})')
    return value


def parse_text(text: str) -> object:
    """Returns the value that a text of JSON is.

    Raises:
        ValueError: it is no JSON, an object has a key twice, or a string is no
            text that can be written; the message says why.
    """
    try:
        value = _parse(text)
        # An escape may make half a character, which nothing can write.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise ValueError(
            f"not a sound text: {half} is half a character"
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from error
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    return value


def _parse(text: str) -> object:
    """Returns the value that a text of JSON is.

    Raises:
        json.JSONDecodeError: it is no JSON.
        ValueError: it cannot be used; the error's text says why.
    """
    doubled: list[tuple[dict, str]] = []

    def unique(pairs: list[tuple[str, object]]) -> dict:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = collections.Counter(key for key, _ in pairs)
            doubled.append((found, next(k for k in counts if counts[k] > 1)))
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except ValueError as error:
        most = sys.get_int_max_str_digits()
        raise ValueError(
            f"it has a number of more than {most} digits"
        ) from error
    if doubled:
        raise ValueError(_where_doubled(value, doubled))
    return value


def _where_doubled(root: object, doubled: list[tuple[dict, str]]) -> str:
    """Says which key an object has twice, and where that stands."""
    keys = {id(found): key for found, key in doubled}
    # A place is the place of the value around it, and the key there. Text for
    # each would take much memory where long keys are around many values.
    to_see: list[tuple[Any, object]] = [((), root)]
    # One is found: an object that is not was replaced by its doubled key.
    while True:
        place, value = to_see.pop()
        if id(value) in keys:
            key = rows.shorten(keys[id(value)])
            where = f" in {_place_of(place)}" if place else ""
            return f"it has the key {key} twice{where}"
        children: Iterable[tuple[Any, object]] = ()
        if isinstance(value, dict):
            children = value.items()
        elif isinstance(value, list):
            children = enumerate(value)
        found = [((place, key), child) for key, child in children]
        to_see += reversed(found)


def _place_of(place: Any) -> str:
    """Returns the text of a place, such as `data[0].paragraphs`."""
    parts: list[str] = []
    while place:
        place, key = place
        is_index = isinstance(key, int)
        parts.append(f"[{key}]" if is_index else f".{key[:_SHOWN_CHARS]}")
    return "".join(reversed(parts)).removeprefix(".")
