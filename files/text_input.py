"""The text that a command reads: plain, or packed by gzip, bz2 or xz.

A file's first bytes say what it is, not its name. Archives, pictures, UTF-16
and other binary data are refused by them: a reader that leaves out what is no
UTF-8 would make text of their rest. Needs no TensorFlow for local files.
"""

import contextlib
import importlib
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator

from bert.errors import UserError, one_line
from bert.files import file_bytes

# The first bytes of what is unpacked, and Python's module for it.
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "lzma",
    b"\x5d\x00\x00": "lzma",  # .lzma
    # "BZh", a digit, and what a first block or an empty file begins with.
    **{
        b"BZh%d%s" % (level, block): "bz2"
        for level in range(1, 10)
        for block in (b"1AY&SY", b"\x17rE8P\x90")
    },
}
_ENDINGS = (".gz", ".bz2", ".xz")
# The first bytes of what is no text.
_BINARY = {
    b"PK\x03\x04": "a zip archive (or an Office file)",
    b"PK\x05\x06": "an empty zip archive",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\x1f\x9d": "compress (.Z)",
    b"LZIP\x01": "lzip",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF87a": "a picture",
    b"GIF89a": "a picture",
    b"\xd0\xcf\x11\xe0": "an Office file",
    b"PAR1\x15": "a Parquet table",
    b"ARROW1\x00": "an Arrow table",
    b"Obj\x01": "an Avro file",
    b"ORC\x0a\x0b": "an ORC table",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3\x00": "a database",
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
    b"\x7fELF": "a program",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_32 = b"\x00\x00\xfe\xff"
_BEGINNINGS = (*_PACKED, *_BINARY)
_HEAD_BYTES = 2**12
# What text has none of. A stray one does no harm; where one byte in so many is
# such, it is UTF-16, records, encrypted …
_CONTROLS = bytes({*range(8), *range(14, 27), *range(28, 32), 127})
_CONTROL_SHARE = 16
# Where a packed file is many times larger than it says, it is no text.
_MOST_TIMES = 200
_UNSUSPICIOUS_BYTES = 2**28


def read(path: str) -> bytes:
    """Returns the text of a whole file, unpacked.

    Raises:
        OSError: it cannot be read; of a remote file too.
        UserError: it holds no text, or is packed and damaged.
    """
    data = file_bytes.read(path)
    with TextStream(io.BufferedReader(io.BytesIO(data)), path) as text:
        text.look()
        if not text.is_packed:
            return data
        return io.BufferedReader(text, 2**20).read()


def reader(path: str) -> io.BufferedReader:
    """Opens a file to be read line by line; raises what `read` does."""
    return io.BufferedReader(stream(path), 2**20)


def is_packed(path: str) -> bool:
    """Whether a regular file must be unpacked; raises what `read` does."""
    with stream(path) as text:
        return text.is_packed


def unpacked_name(path: str) -> str:
    """Returns a path without the ending that says how it is packed."""
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return path


def stream(
    source: str | io.BufferedReader, name: str | None = None
) -> "TextStream":
    """Opens a file whose `read(n)` gives what has arrived, as it comes.

    A file is looked at now; a pipe when it is first read, and not before, as
    that may have to wait.

    Args:
        source: a path, or a buffered file, which is closed with the result.
        name: of a buffered file; for messages.

    Raises:
        OSError, UserError: as `read`.
    """
    if isinstance(source, str):
        name, file = source, file_bytes.reader(source)
    else:
        file = source
    text = TextStream(file, name or "")
    try:
        with file_bytes.os_errors(name or ""):
            if not text.is_pipe:
                text.look()
    except BaseException:
        text.close()
        raise
    return text


class _Again(io.RawIOBase):
    """A file from its start, of which some bytes have been read.

    Attributes:
        count: bytes that were given.
    """

    def __init__(self, head: bytes, read: Callable[[int], bytes]):
        super().__init__()
        self._head = head
        self._read = read
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._head or self._read(len(buffer))
        data, self._head = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class TextStream(io.RawIOBase):
    """The text of a file.

    Args:
        file: plain or packed.
        name: for messages.
    """

    def __init__(self, file: io.BufferedReader, name: str):
        super().__init__()
        self._file = file
        self._name = name
        self._text: _Again | None = None
        self._packed: _Again | None = None
        self._errors: tuple[type[Exception], ...] = ()

    @property
    def is_packed(self) -> bool:
        """Whether it is unpacked; known after `look`."""
        return self._packed is not None

    @property
    def is_pipe(self) -> bool:
        """Whether more may come to it while it is read."""
        try:
            mode = os.fstat(self._file.fileno()).st_mode
        except OSError:  # bytes, or a remote file
            return False
        return not stat.S_ISREG(mode)

    def look(self) -> "_Again":
        """Reads the first bytes, once, and refuses what cannot be text."""
        if self._text is not None:
            return self._text
        read: Callable[[int], bytes] = self._file.read1
        head = _head(read)
        module = _kind(_PACKED, head)
        if module:
            self._packed = _Again(head, read)
            read = self._unpacker(module, self._packed)
            with self._damage_named():
                head = _head(read)
            if _kind(_PACKED, head):
                raise _no_text(self._name, "packed twice", "unpack it first")
        _refuse_binary(head, self._name)
        self._text = _Again(head, read)
        return self._text

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer) -> int:
        """Gives what there is; UserError where it is no text, or damaged."""
        text = self.look()
        if self._packed is None:
            return text.readinto(buffer)
        with self._damage_named():
            count = text.readinto(buffer)
        most = max(_MOST_TIMES * self._packed.count, _UNSUSPICIOUS_BYTES)
        if text.count > most:
            raise _no_text(
                self._name,
                f"a packed file of more than {_MOST_TIMES} times its size",
                "unpack it first, if it is one",
            )
        return count

    def close(self) -> None:
        """Closes the file, too."""
        self._file.close()
        super().close()

    def _unpacker(self, module: str, packed: _Again) -> Callable[[int], bytes]:
        try:
            unpacks = importlib.import_module(module)
        except ImportError as error:  # Python can be built without
            raise _no_text(
                self._name,
                f"a packed file, and this Python has no module {module}",
                "unpack it first",
            ) from error
        self._errors = (EOFError, OSError, zlib.error)
        self._errors += (getattr(unpacks, "LZMAError", zlib.error),)
        return unpacks.open(io.BufferedReader(packed)).read1

    @contextlib.contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            if getattr(error, "errno", None):  # of the disk
                raise
            raise UserError(
                f"{self._name} is packed, and cut off or damaged "
                f"({one_line(error)[:80]}); fetch or pack it again."
            ) from error


def _head(read: Callable[[int], bytes]) -> bytes:
    """Reads until what it is can be told, and no longer: more may be late."""
    head = b""
    while any(len(head) < len(b) and b.startswith(head) for b in _BEGINNINGS):
        more = read(_HEAD_BYTES)
        if not more:
            break
        head += more
    return head


def _kind(beginnings: dict[bytes, str], head: bytes) -> str | None:
    return next((v for k, v in beginnings.items() if head.startswith(k)), None)


def _refuse_binary(head: bytes, name: str) -> None:
    kind = _kind(_BINARY, head)
    num_controls = len(head) - len(head.translate(None, _CONTROLS))
    if kind is None and head[257:262] == b"ustar":
        kind = "a tar archive"
    if kind:
        raise _no_text(name, kind, "unpack or convert it first")
    if head.startswith(_UTF_16) or head.startswith(_UTF_32):
        raise _no_text(
            name,
            f"UTF-16 or UTF-32 (its first byte is 0x{head[0]:02x}, which is "
            "no UTF-8)",
            "convert it (iconv -f UTF-16 -t UTF-8)",
        )
    if num_controls >= 4 and num_controls * _CONTROL_SHARE >= len(head):
        raise _no_text(
            name,
            "binary data, or UTF-16 without its mark",
            "convert it, or name the text",
        )


def _no_text(name: str, received: str, advice: str) -> UserError:
    return UserError(
        f"{name}, line 1: expected text in UTF-8, plain or packed by gzip, "
        f"bz2 or xz. Received: {received}; {advice}."
    )
