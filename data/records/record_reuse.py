"""When a file of records may be used again instead of being made again.

Beside the records stands what they were made from, and what they are:

    train.tf_record
    train.tf_record.fingerprint     {"made_from", "size", "sha256", "lengths"}

They are used again where everything that decides them is the same, and the
file is what was written. Whatever is in doubt is made again. The lengths of the
records spare a second reading of the file.

TensorFlow is imported where remote files are read and written.
"""

import functools
import hashlib
import json
import pathlib
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from bert.data.text.tokenization import FullTokenizer
from bert.files import atomic_files, file_bytes

SUFFIX = ".fingerprint"
_BLOCK_BYTES = 2**20
# The packages whose code decides what is in a record; where they lie.
_CODE = ("data", "tasks")
_ROOT = pathlib.Path(__file__).parents[2]


class Written(NamedTuple):
    """What the writer of a record file knows of it.

    Attributes:
        size: its bytes.
        sha256: their hash.
        lengths: of each record, the positions up to the last that is no
            padding.
    """

    size: int
    sha256: str
    lengths: list[int]


def made_from(
    tokenizer: FullTokenizer, settings: object, inputs: Iterable[object]
) -> str:
    """Returns a hash of all that decides the records of a file.

    The code that makes features is part of it, so that records of older code
    are not used again.

    Args:
        tokenizer: makes the ids.
        settings: what else the features are made by; its `repr` counts.
        inputs: of each example, in order, what its features are made from;
            its `repr` counts, so that it must tell unequal ones apart.
    """
    digest = hashlib.sha256()
    for part in (
        _code(),
        # Decides what a letter is, and its lower case.
        unicodedata.unidata_version,
        tokenizer.vocab,
        tokenizer.steps,
        settings,
    ):
        digest.update(f"{part!r}\n".encode())
    for each in inputs:
        # No `repr` of texts and numbers has a line end in it.
        digest.update(f"{each!r}\n".encode())
    return digest.hexdigest()


@functools.cache
def _code() -> str:
    """Returns a hash of all modules that have a part in making records."""
    digest = hashlib.sha256()
    for package in _CODE:
        for file in sorted((_ROOT / package).rglob("*.py")):
            name = f"{file.relative_to(_ROOT).as_posix()} "
            digest.update(name.encode() + file.read_bytes())
    return digest.hexdigest()


def current(path: str, key: str) -> Written | None:
    """Checks whether a file has the records that would be written to it.

    Args:
        path: the file, which may be missing.
        key: what `made_from` gives for them.

    Returns:
        What is known of it; None where it is missing or may differ.
    """
    try:
        kept = json.loads(file_bytes.read(path + SUFFIX))
        if kept["made_from"] != key:
            return None  # without a look at the file
        found = Written(kept["size"], kept["sha256"], kept["lengths"])
        same = _size_and_hash(path) == found[:2]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
    return found if same and _are_lengths(found.lengths) else None


def keep(path: str, key: str, written: Written) -> None:
    """Notes what a file of records, just written, was made from.

    Args:
        path: the file.
        key: what `made_from` gave.
        written: what `record_writer.write` returned.
    """
    note = {"made_from": key, **written._asdict()}
    atomic_files.write_text(path + SUFFIX, json.dumps(note) + "\n")


def _size_and_hash(path: str) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with file_bytes.reading(path) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _are_lengths(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int for n in value)
