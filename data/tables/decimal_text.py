"""Many floats → the text that Python's json has for them, quickly."""

import json
from collections.abc import Iterable

import numpy as np

_SCALE = 10**6
# Larger numbers, which are rare, are left to json.
_LARGEST = 1000
# Below this many millionths Python writes an exponent: 1.2e-05.
_TINY = 100
# Numbers that are worked on at a time: their arrays stay in the cache.
_BLOCK = 2**15


def _table(texts: Iterable[str], size: int) -> np.ndarray:
    """Returns texts of up to `size` bytes as numbers, to be copied as one."""
    dtype = {4: np.uint32, 8: np.uint64}[size]
    return np.array([text.encode() for text in texts], f"S{size}").view(dtype)


# A number is laid out in 16 characters, which are looked up in three parts
# (by its sign and whole part, and by three decimals twice); a shorter part is
# filled up with NULs, which are removed at the end:
#
#     ", -12.··"  "345·"  "6···"     ->    ", -12.3456"
_GROUPS = [f"{number:03d}" for number in range(1000)]
_CHARS = 16
_WHOLE = _table(
    (f", {sign}{number}." for sign in ("", "-") for number in range(1000)), 8
)
# Zeros at the end are left out, but for the one next to the point.
_LAST = [group.rstrip("0") for group in _GROUPS]
_DECIMALS = _table([*_GROUPS, *(group or "0" for group in _LAST)], 4)
_LAST_DECIMALS = _table(_LAST, 4)


def join_rounded(values: np.ndarray) -> list[str]:
    """Writes rows of numbers, each number as `json.dumps(round(x, 6))`.

    The same text in a fraction of the time. A float32 times 10^6 is exact in
    float64, so rounding the product to a whole number rounds the decimal text
    correctly.

    Args:
        values: float32 [rows, numbers].

    Returns:
        The rows' texts, numbers separated by ", ".
    """
    if not values.size:
        return [""] * len(values)
    rows = max(1, _BLOCK // values.shape[1])
    texts = []
    for start in range(0, len(values), rows):
        texts += _join_block(values[start : start + rows])
    return texts


def _join_block(values: np.ndarray) -> list[str]:
    millionths = np.rint(values.astype(np.float64) * _SCALE)
    magnitude = np.abs(millionths)
    if not np.max(magnitude) < _LARGEST * _SCALE:  # NaN too
        rows = (millionths / _SCALE).tolist()
        return [json.dumps(row)[1:-1] for row in rows]
    chars = _lay_out(magnitude.astype(np.int32), np.signbit(millionths))
    size = _CHARS * values.shape[1]
    return [
        # Without the separator in front of a row.
        chars[start : start + size].translate(None, b"\0")[2:].decode("ascii")
        for start in range(0, len(chars), size)
    ]


def _lay_out(millionths: np.ndarray, negative: np.ndarray) -> bytes:
    """Lays numbers out, 16 characters each.

    Args:
        millionths: int32 [rows, numbers], not negative.
        negative: bool [rows, numbers].

    Returns:
        The characters, and NULs where fewer are needed.
    """
    whole = millionths // _SCALE
    fraction = millionths - whole * _SCALE
    high = fraction // 1000
    low = fraction - high * 1000
    second_half = np.int32(1000)  # of the tables

    chars = np.empty((*millionths.shape, _CHARS // 4), np.uint32)
    chars.view(np.uint64)[..., 0] = _WHOLE[whole + negative * second_half]
    chars[..., 2] = _DECIMALS[high + (low == 0) * second_half]
    chars[..., 3] = _LAST_DECIMALS[low]

    texts = chars.view(f"S{_CHARS}")[..., 0]
    tiny = (millionths > 0) & (millionths < _TINY)
    for row, number in np.argwhere(tiny).tolist():
        sign = "-" if negative[row, number] else ""
        text = repr(int(millionths[row, number]) / _SCALE)
        texts[row, number] = f", {sign}{text}".encode()
    return chars.tobytes()
