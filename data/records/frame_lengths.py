"""The lengths in TFRecord files, held against the files before they are used.

TensorFlow takes as much memory for a record as its length says. Where that is
more than there is, the process ends without a word.
"""

import contextlib
import gzip
import itertools
import mmap
import os
import struct
import zlib
from collections.abc import Iterator

from bert.files import file_bytes

# A hundred times what the longest records here have.
LONGEST = 2**24

_LENGTH = struct.Struct("<Q")
# A length and its checksum, and the checksum behind the record.
_HEAD, _TAIL = 12, 4


def first_impossible(
    path: str, compression: str, limit: int | None = None
) -> int | None:
    """Returns the first record that is longer than it can be, from 1.

    What else is wrong with a file, TensorFlow finds when it reads it. Remote
    files are not looked at: they would be read twice.

    Args:
        path: the file.
        compression: "" or "GZIP".
        limit: how many records to look at; None: all.

    Returns:
        The record; None where there is none.
    """
    if file_bytes.is_remote(path):
        return None
    find = _lengths_of_gzip if compression else _lengths
    with contextlib.suppress(OSError, EOFError, zlib.error):
        for number, (length, rest) in enumerate(
            itertools.islice(find(path), limit), start=1
        ):
            if length > min(rest, LONGEST):
                return number
    return None


def _lengths(path: str) -> Iterator[tuple[int, int]]:
    """Yields the length of each record, and the bytes that are there for it."""
    size = os.path.getsize(path)
    if not os.path.isfile(path) or size < _HEAD:
        return
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        start = 0
        while start + _HEAD <= size:
            (length,) = _LENGTH.unpack_from(data, start)
            yield length, size - start - _HEAD - _TAIL
            start += _HEAD + length + _TAIL


def _lengths_of_gzip(path: str) -> Iterator[tuple[int, int]]:
    """Does as `_lengths`; how much a file holds only its end tells."""
    with gzip.open(path) as file:
        while len(head := file.read(_HEAD)) == _HEAD:
            (length,) = _LENGTH.unpack_from(head)
            yield length, length
            file.seek(length + _TAIL, os.SEEK_CUR)  # in small parts
