"""Files for records, plain or compressed; local ones without TensorFlow."""

import contextlib
import gzip
from collections.abc import Iterator
from typing import IO

from bert.files import atomic_files, file_bytes

COMPRESSIONS = ("none", "gzip")

# As small as the default 6 to within some percent, in half the time.
_GZIP_LEVEL = 4


# What takes the frames of a file, by `write`.
Writer = IO[bytes] | gzip.GzipFile


@contextlib.contextmanager
def frame_writer(path: str, compression: str = "none") -> Iterator[Writer]:
    """Opens a TFRecord file, which appears when it is complete or not at all.

    Args:
        path: as `files.atomic_files.replacing` takes it.
        compression: one of COMPRESSIONS. Equal records give equal bytes.

    Yields:
        A file; `write(frame)` appends what `record_bytes.frames` returns.
    """
    with (
        atomic_files.replacing(path) as temporary,
        file_bytes.writer(temporary) as file,
    ):
        if compression == "none":
            yield file
        else:
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as out:
                yield out
