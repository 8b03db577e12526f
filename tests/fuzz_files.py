"""Sound files of every kind that is read; what is inside some of them."""

import bz2
import gzip
import io
import json
import lzma
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tests.conversion import hf_folder
from tests.fuzz_child import Close

GOLDEN = Path(__file__).parent / "golden"
INPUTS = GOLDEN / "inputs"
VOCAB = INPUTS / "vocab.txt"
MODELS = Path(__file__).parent / "model_folder/data"

# Of the flag label_type: what the labels of three rows are.
LABELS = {
    "single": ("praise", "blame, mostly", "praise"),
    "multi": ("red,blue", "", "blue"),
    "regression": ("1.5", "-2", "1e3"),
}
# By the first bytes of what they make.
PACKED = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7z": lzma}


def copies(*sources: Path | str, **texts: str) -> Callable[[Path], None]:
    """Returns what puts copies of files and folders into one."""

    def make(folder: Path) -> None:
        folder.mkdir()
        for source in map(Path, sources):
            if source.is_dir():
                shutil.copytree(source, folder, dirs_exist_ok=True)
            else:
                shutil.copy(source, folder)
        for name, text in texts.items():
            (folder / name).write_text(text)

    return make


def packed(folder: Path) -> None:
    """Makes texts that are packed."""
    folder.mkdir()
    text = (INPUTS / "corpus_b.txt").read_bytes()
    for module in PACKED.values():
        path = folder / f"{module.__name__}.txt"
        path.write_bytes(module.compress(text))


def hugging_face(folder: Path) -> None:
    hf_folder.write(GOLDEN, folder)
    pieces = (folder / "vocab.txt").read_text().splitlines()
    model = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "vocab": {piece: index for index, piece in enumerate(pieces)},
    }
    normalizer = {"type": "BertNormalizer", "lowercase": True}
    values = {"added_tokens": [], "normalizer": normalizer, "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(values))


def records(folder: Path) -> None:
    folder.mkdir()
    data = (GOLDEN / "pretraining_data/short.tfrecord").read_bytes()
    (folder / "plain.tfrecord").write_bytes(data)
    (folder / "gzip.tfrecord").write_bytes(gzip.compress(data))


def tables(folder: Path) -> None:
    folder.mkdir()
    (folder / "labels.txt").write_text("praise\nblame, mostly\nneither\n")
    for kind, column in LABELS.items():
        rows = [
            {"text": f"A {kind} boat\u2028{n}", "pair": 'the "lake', "label": x}
            for n, x in enumerate(column)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{kind}.jsonl").write_text(lines)
        for ending, mark in (("csv", ","), ("tsv", "\t")):
            table = io.StringIO()
            table.write(mark.join(rows[0]) + "\n")
            for row in rows:
                cells = (x.replace('"', '""') for x in row.values())
                quoted = (f'"{x}"' if mark == "," else x for x in cells)
                table.write(mark.join(quoted) + "\n")
            (folder / f"{kind}.{ending}").write_text(table.getvalue())


def open_packed(data: bytes) -> tuple[bytes, Close]:
    """Opens a file that gzip, bz2 or xz has packed; any other as it is."""
    for start, module in PACKED.items():
        if data.startswith(start):
            return module.decompress(data), module.compress
    return data, bytes


def open_record(data: bytes) -> tuple[bytes, Close]:
    """Opens the first record of a file."""
    content, pack = open_packed(data)
    end = 12 + int.from_bytes(content[:8], "little")

    def close(record: bytes) -> bytes:
        return pack(_framed(record) + content[end + 4 :])

    return content[12:end], close


def open_record_length(data: bytes) -> tuple[bytes, Close]:
    """Opens the length of the first record, as a number in decimal digits."""
    content, pack = open_packed(data)

    def close(digits: bytes) -> bytes:
        number = int(digits) if digits.isdigit() and len(digits) < 20 else 7
        size = (number % 2**64).to_bytes(8, "little")
        # A checksum of the right bytes is where a record of them has it.
        return pack(size + _framed(size)[-4:] + content[12:])

    return str(int.from_bytes(content[:8], "little")).encode(), close


def _framed(record: bytes) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        with tf.io.TFRecordWriter(file.name) as writer:
            writer.write(record)
        return file.read()


def open_safetensors(data: bytes) -> tuple[bytes, Close]:
    """Opens the header."""
    end = 8 + int.from_bytes(data[:8], "little")

    def close(header: bytes) -> bytes:
        return len(header).to_bytes(8, "little") + header + data[end:]

    return data[8:end], close
