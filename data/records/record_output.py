"""Record files, plain or compressed, without TensorFlow for local ones."""

import contextlib
import gzip
import os
from collections.abc import Iterator
from typing import IO

from bert.errors import UserError
from bert.files import atomic_files, file_bytes

COMPRESSIONS = ("none", "gzip")

# As small as the default 6 to within some percent, in half the time.
_GZIP_LEVEL = 4


def check_writable(path: str, flag: str) -> None:
    """Raises UserError where no file could be written at `path`.

    Args:
        path: where records are to go.
        flag: where it comes from; for messages.
    """
    fault = None
    if file_bytes.is_folder(path):
        fault = "is a folder; add the name of a file"
    elif "://" not in path:  # object stores have neither folders nor devices
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.exists(path) and not os.path.isfile(path):
            fault = "is no plain file; name another"
        elif not os.path.isdir(folder):
            fault = f"is in a folder that does not exist; make {folder}"
        else:
            fault = atomic_files.why_not_writable(path)
    if fault:
        raise UserError(
            "Expected a file that records can be written to. "
            f"Received: --{flag}={path}, which {fault}."
        )


@contextlib.contextmanager
def frame_writer(path: str, compression: str) -> Iterator[IO[bytes]]:
    """Opens a TFRecord file, which is there when it is whole or not at all.

    Args:
        path: as `files.atomic_files.replacing` takes it.
        compression: one of COMPRESSIONS. Equal records give equal bytes.

    Yields:
        A file; `write(frame)` appends what `record_bytes.frames` returns.
    """
    try:
        with (
            atomic_files.replacing(path) as temporary,
            file_bytes.writer(temporary) as file,
        ):
            if compression == "none":
                yield file
            else:
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as out:
                    yield out
    except OSError as error:
        if error.filename is None:  # so it is when a disk is full
            raise OSError(error.errno, error.strerror, path) from error
        raise
