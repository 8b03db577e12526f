"""Values of a JSON file that know where they stand.

Imports neither TensorFlow nor NumPy.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from data import rows
from errors import UserError

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
    value: object

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
        UserError: it cannot be read, is not UTF-8, is empty or no JSON.
    """
    text = rows.read_text(path)
    if not text.strip():
        raise UserError(f"{path}: expected JSON. Received: an empty file.")
    try:
        return Node(path, "", json.loads(text))
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        around = line[max(error.colno - 21, 0) : error.colno + 40].strip()
        raise UserError(
            f"{path}, line {error.lineno}, column {error.colno}: expected "
            f"JSON ({error.msg}). Received: {rows.shorten(around)}."
        ) from error
    except (RecursionError, ValueError) as error:  # a number, too
        raise UserError(
            f"{path}: expected JSON. Received: what nests too deeply, or a "
            f"number that is too long ({error})."
        ) from error
