"""The list of a checkpoint's tensors, read without TensorFlow.

`PREFIX.index` is a table of LevelDB's format, sorted by name; its values are
protocol buffers. Their values are in `.data`, and TensorFlow reads those.

Source: tensorflow/core/lib/io/format.h, core/util/tensor_bundle and
core/protobuf/tensor_bundle.proto.
"""

import functools
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from bert.files import file_bytes

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
# Behind each block: how it is compressed, and the checksum of all before.
_TRAILER_BYTES = 5
# Of tensorflow/core/framework/types.proto.
_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}


class Entry(NamedTuple):
    """What the list says of a tensor.

    Attributes:
        shape: the tensor's.
        dtype: its name, as TensorFlow's: float32, bfloat16, string, ….
    """

    shape: tuple[int, ...]
    dtype: str


def read(path: str) -> dict[str, Entry]:
    """Returns what a checkpoint's index says of each tensor, by name.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or unlike what a Saver and SaveV2 write:
            compressed, of a big-endian machine, with tensors in slices.
    """
    data = file_bytes.read(path)
    try:
        return _entries(data)
    except (IndexError, struct.error) as error:
        raise ValueError("it ends too early") from error


def _entries(data: bytes) -> dict[str, Entry]:
    footer = data[-_FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("no table")
    _, _, at = _handle(footer, 0)  # of the properties, which are none
    blocks = _pairs(_block(data, *_handle(footer, at)[:2]))
    pairs = [
        pair
        for _, handle in blocks
        for pair in _pairs(_block(data, *_handle(handle, 0)[:2]))
    ]
    (first, header), *tensors = pairs
    # Its endianness is left out where it is the little one.
    if first or any(number == 2 for number, _ in _fields(header)):
        raise ValueError("an unusual header")
    return {name.decode(): _entry(value) for name, value in tensors}


def _block(data: bytes, start: int, size: int) -> bytes:
    """Returns a block of the table; its checksum must be right."""
    end = start + size
    kind, expected = struct.unpack("<BI", data[end : end + _TRAILER_BYTES])
    crc = _crc32c(data[start : end + 1])
    if expected != ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF:
        raise ValueError("a wrong checksum")
    if kind:
        raise ValueError("a compressed block")
    return data[start:end]


def _pairs(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the keys and values of a block."""
    (num_restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (1 + num_restarts)
    key, at = b"", 0
    while at < end:
        # A key lacks what it has in common with the one before.
        shared, at = _varint(block, at)
        rest, at = _varint(block, at)
        size, at = _varint(block, at)
        key = key[:shared] + block[at : at + rest]
        at += rest + size
        yield key, block[at - size : at]


def _entry(value: bytes) -> Entry:
    """Reads a BundleEntryProto."""
    dtype, shape = 0, []
    for number, field in _fields(value):
        if number == 1:
            dtype = field
        elif number == 2:
            shape = [_dimension(dim) for _, dim in _fields(field)]
        elif number == 7:
            raise ValueError("a tensor in slices")
    if dtype not in _DTYPES:
        raise ValueError("a tensor of another type")
    return Entry(tuple(shape), _DTYPES[dtype])


def _dimension(value: bytes) -> int:
    """Reads a TensorShapeProto.Dim."""
    size = dict(_fields(value)).get(1, 0)
    if not 0 <= size < 2**63:
        raise ValueError("an unknown size")
    return size


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yields the fields of a protocol buffer, by their numbers."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            number, at = _varint(message, at)
            yield tag >> 3, number
            continue
        size = {1: 8, 5: 4}.get(kind, len(message))
        if kind == 2:
            size, at = _varint(message, at)
        at += size
        if at > len(message):
            raise ValueError("no protocol buffer")
        yield tag >> 3, message[at - size : at]


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    """Returns where a block starts, its size, and where the handle ends."""
    start, at = _varint(data, at)
    size, at = _varint(data, at)
    return start, size, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _crc32c(data: bytes) -> int:
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@functools.cache
def _crc_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [x >> 1 ^ (x & 1) * 0x82F63B78 for x in table]
    return table
