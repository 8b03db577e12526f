"""When a file of records may be used again instead of being made again.

Beside the records stands what they were made from, and what they are:

    train.tf_record
    train.tf_record.fingerprint     {"made_from", "size", "sha256"}

They are used again where everything that decides them is the same, and the
file is what was written. Whatever is in doubt is made again.

TensorFlow is imported where files are read and written.
"""

import functools
import hashlib
import importlib.resources
import json
import pathlib
import unicodedata
from collections.abc import Iterable

from bert.data.text.tokenization import FullTokenizer
from bert.files import file_bytes

SUFFIX = ".fingerprint"
_BLOCK_BYTES = 2**20
# The packages whose code decides what is in a record.
_CODE = ("data", "tasks")


def made_from(
    tokenizer: FullTokenizer, settings: object, inputs: Iterable[object]
) -> str:
    """Returns a hash of all that decides the records of a file.

    The code that makes features is part of it: whoever changes it need not
    think of the files that are out there.

    Args:
        tokenizer: makes the ids.
        settings: what else the features are made by; its `repr` counts.
        inputs: of each example, in order, what its features are made from;
            its `repr` counts, so that it must tell unequal ones apart.
    """
    digest = hashlib.sha256()
    for part in (
        _code(),
        # What a letter is, and what its lower case.
        unicodedata.unidata_version,
        tokenizer.vocab,
        tokenizer.basic_tokenizer.do_lower_case,
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
        root = pathlib.Path(str(importlib.resources.files(f"bert.{package}")))
        for file in sorted(root.rglob("*.py")):
            name = f"{package}/{file.relative_to(root).as_posix()} "
            digest.update(name.encode() + file.read_bytes())
    return digest.hexdigest()


def is_current(path: str, key: str) -> bool:
    """Returns whether a file has the records that would be written to it.

    Args:
        path: the file, which may be missing.
        key: what `made_from` gives for them.
    """
    import tensorflow as tf

    try:
        kept = json.loads(file_bytes.read(path + SUFFIX))
        # A look at the file only where it is worth it.
        return (
            isinstance(kept, dict)
            and kept.get("made_from") == key
            and kept == _description(path, key)
        )
    except (OSError, ValueError, RecursionError, tf.errors.OpError):
        return False


def keep(path: str, key: str) -> None:
    """Notes what a file of records, just written, was made from.

    Args:
        path: the file.
        key: what `made_from` gave.
    """
    from bert.files import atomic_files

    text = json.dumps(_description(path, key), indent=2) + "\n"
    atomic_files.write_text(path + SUFFIX, text)


def _description(path: str, key: str) -> dict[str, str | int]:
    import tensorflow as tf

    digest = hashlib.sha256()
    size = 0
    with tf.io.gfile.GFile(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return {"made_from": key, "size": size, "sha256": digest.hexdigest()}
