"""A sound file → a damaged one, in ways that know no format but JSON's."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

# Numbers at the ends of what somebody may have thought of.
NUMBERS = (
    *("0", "-0", "-1", "1", "2", "255", "65536", "0.5", "1e-400", "1e400"),
    *("2147483647", "2147483648", "-2147483649", "4294967296", "1e15"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *("NaN", "Infinity", "-Infinity", "1_000", "0x10", "٣", "1" + "0" * 5000),
)
# What is no plain letter: controls, spaces that are none to others, lines' ends
# that are none, marks, directions, half characters and private ones.
CHARACTERS = (
    "\0\a\b\t\n\v\f\r\x1b\x1c\x7f\x85\xa0\xad\u0300\u0600\u1680\u200b\u200d"
    "\u2028\u2029\u202e\u2066\u3000\ufeff\ufffd\uffff\U0001f600\U000e0001"
    "\U0010ffffİßﬁ①안漢ا"
)
_MARKS = "\t ,;|:\"'{}[]()<>#%\\/=-_\r"
# Of what is put in: more than a sequence has, and than Python can nest.
_LENGTHS = (100, 300, 900, 3000, 10**5)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Returns the bytes of a file, damaged in one place or a few."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        ways: list[Callable] = [rng.choice(_OF_BYTES)]
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            ways += [rng.choice(_OF_TEXT)] * 2
            if text.lstrip()[:1] in ("{", "["):
                ways += [_in_json] * 4
        way = rng.choice(ways)
        data = way(data, rng) if way in _OF_BYTES else _in_text(way, data, rng)
    return data


def _range(size: int, rng: random.Random) -> tuple[int, int]:
    """Returns a random range of what has a size, most often a short one."""
    start = rng.randint(0, size)
    length = rng.choice((1, 1, 2, 8, 64, 512, size))
    return start, min(start + rng.randint(0, length), size)


def _flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 32)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[
        : rng.choice((0, 1, rng.randint(0, len(data)), max(len(data) - 1, 0)))
    ]


def _take_out(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(len(data), rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(len(data), rng)
    return data[:end] + data[start:]


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    start, end = _range(len(data), rng)
    byte = rng.choice((b"\0", b"\xff", b"\x80", b"\x1f", b"\n", b"["))
    return data[:start] + byte * (end - start) + data[end:]


def _put_in_bytes(data: bytes, rng: random.Random) -> bytes:
    start, _ = _range(len(data), rng)
    return data[:start] + rng.randbytes(rng.choice((1, 2, 8))) + data[start:]


def _other_encoding(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("latin-1")
    encoding = rng.choice(("utf-8-sig", "utf-16", "utf-16-be", "utf-32"))
    return text.encode(encoding)


_OF_BYTES = (
    *(_flip_bits, _cut_off, _take_out, _double, _overwrite, _put_in_bytes),
    _other_encoding,
)


def _in_text(way: Callable, data: bytes, rng: random.Random) -> bytes:
    text = way(data.decode("utf-8"), rng)
    return text.encode("utf-8", "surrogatepass")


def _another_number(text: str, rng: random.Random) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    start, end = rng.choice(found).span()
    return text[:start] + rng.choice(NUMBERS) + text[end:]


def _put_in(text: str, rng: random.Random) -> str:
    start, _ = _range(len(text), rng)
    new = rng.choice(
        (
            rng.choice(CHARACTERS) * rng.choice((1, 1, 3)),
            rng.choice(_MARKS) * rng.choice((1, 1, 2)),
            rng.choice(("a", "漢", " ", "-")) * rng.choice(_LENGTHS),
            rng.choice(("[", "(", '{"a":', "\n")) * rng.choice(_LENGTHS),
        )
    )
    return text[:start] + new + text[start:]


def _exchange_marks(text: str, rng: random.Random) -> str:
    old, new = rng.sample(_MARKS + "\n", 2)
    return text.replace(old, new, rng.choice((1, 3, -1)))


def _move_lines(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    start, end = _range(len(lines), rng)
    moved = lines[start:end]
    new = rng.choice(([], moved * 2, moved[::-1], [""], [" "] * 3))
    return "\n".join([*lines[:start], *new, *lines[end:]])


_OF_TEXT = (_another_number, _put_in, _exchange_marks, _move_lines)


def _in_json(text: str, rng: random.Random) -> str:
    """Changes a value or key of a JSON text, or of one of its lines."""
    try:
        return _changed(json.loads(text), rng)
    except (ValueError, RecursionError):
        pass
    lines = text.split("\n")
    number = rng.randrange(len(lines))
    try:
        lines[number] = _changed(json.loads(lines[number]), rng)
    except (ValueError, RecursionError):
        return _put_in(text, rng)
    return "\n".join(lines)


def _changed(root: Any, rng: random.Random) -> str:
    """Returns the text of a JSON value with one change."""
    whole = {"": root}
    holder, key = rng.choice(list(_slots(whole)))
    # Written into the text at the end: JSON's writer would not make it.
    mark = f"?{rng.random()}?"
    raw = json.dumps(_another_value(holder[key], rng))
    way = rng.randrange(6)
    if way == 0 and holder is not whole:
        del holder[key]
    elif way == 1 and isinstance(holder, dict) and holder is not whole:
        holder[rng.choice(CHARACTERS) + str(key)] = holder.pop(key)
    elif way == 2 and isinstance(holder, dict) and holder is not whole:
        raw = f"{json.dumps(holder[key])}, {json.dumps(key)}: {raw}"
        holder[key] = mark
    elif way == 3:
        raw = rng.choice(NUMBERS)
        holder[key] = mark
    else:
        holder[key] = mark
    text = json.dumps(whole[""], ensure_ascii=rng.random() < 0.5)
    return text.replace(json.dumps(mark), raw)


def _slots(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Yields where in a JSON value there are values: (holder, key)."""
    keys = holder if isinstance(holder, dict) else range(len(holder))
    for key in list(keys):
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _slots(holder[key])


def _another_value(old: Any, rng: random.Random) -> Any:
    deep: Any = []
    for _ in range(rng.choice((3, 300))):
        deep = [deep]
    return rng.choice(
        (
            *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 0.5, 1e308),
            *("", " ", "x", "\ud800", "\x1b[31m", "a\nb", "x" * 10**5),
            *([], {}, {"": None}, [old], [old, old], {"a": old}, str(old)),
            *(deep, rng.choice(CHARACTERS), f"{old}{rng.choice(CHARACTERS)}"),
        )
    )
