"""The lengths in TFRecord files, held against the files before they are used.

TensorFlow takes as much memory for a record as its length says. Where that is
more than there is, the process ends without a word.
"""

import contextlib
import gzip
import mmap
import os
import struct
import zlib

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
    find = _in_gzip if compression else _in_plain
    with contextlib.suppress(OSError, EOFError, zlib.error):
        return find(path, limit)
    return None


def _in_plain(path: str, limit: int | None) -> int | None:
    size = os.path.getsize(path)
    if not os.path.isfile(path) or size < _HEAD:
        return None
    number = start = 0
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        while start + _HEAD <= size and number != limit:
            number += 1
            (length,) = _LENGTH.unpack_from(data, start)
            start += _HEAD + length + _TAIL
            if start > size or length > LONGEST:
                return number
    return None


def _in_gzip(path: str, limit: int | None) -> int | None:
    number = 0
    with gzip.open(path) as file:
        while number != limit and len(head := file.read(_HEAD)) == _HEAD:
            number += 1
            (length,) = _LENGTH.unpack_from(head)
            if length > LONGEST:
                return number
            file.seek(length + _TAIL, os.SEEK_CUR)  # in small parts
    return None
