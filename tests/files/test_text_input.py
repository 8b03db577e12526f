"""Text is unpacked, and what is none is refused by its first bytes."""

import bz2
import gzip
import io
import itertools
import lzma
import os
import random
import sys
import tarfile
import threading
import zipfile

import pytest

from bert.errors import UserError
from bert.files import text_input

TEXT = "".join(f"ä line {number}\n" for number in range(3000)).encode()
PACK = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda text: lzma.compress(text, lzma.FORMAT_ALONE),
}


def written(folder, data, name="text"):
    path = folder / name
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("kind", [None, *PACK])
@pytest.mark.parametrize("text", [TEXT, b"", b"a", b"BZh", b"PK", b"\xff\xfd"])
def test_text_is_read_plain_and_packed(tmp_path, kind, text):
    path = written(tmp_path, PACK[kind](text) if kind else text)
    assert text_input.is_packed(path) == (kind is not None)
    assert text_input.read(path) == text
    with text_input.reader(path) as file:
        assert list(file) == text.splitlines(keepends=True)


@pytest.mark.parametrize("pack", PACK.values())
def test_parts_packed_one_by_one_are_one_text(tmp_path, pack):
    path = written(tmp_path, pack(b"a\n") + pack(TEXT))
    assert text_input.read(path) == b"a\n" + TEXT


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("text", TEXT)
    return out.getvalue()


def archived():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("text"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (zipped(), "zip archive"),
        (b"\x28\xb5\x2f\xfd\x04\x58 text", "zstd"),
        (b"\x04\x22\x4d\x18 text", "lz4"),
        (archived(), "tar archive"),
        (gzip.compress(archived()), "tar archive"),
        (gzip.compress(gzip.compress(TEXT)), "packed twice"),
        (bz2.compress(zipped()), "zip archive"),
        (TEXT.decode().encode("utf-16"), "UTF-16"),
        ("\ufeffa".encode("utf-16-be"), "UTF-16"),
        (TEXT.decode().encode("utf-32"), "UTF-16 or UTF-32"),
        (TEXT.decode().encode("utf-16-le"), "binary data, or UTF-16"),
        (lzma.compress(TEXT.decode().encode("utf-16")), "UTF-16"),
        (b"%PDF-1.4\n", "a PDF"),
        (bytes(range(8)) + bytes(100), "binary data"),
        (random.Random(0).randbytes(5000), "binary data"),
    ],
    # Not the data, which hold a time.
    ids=itertools.count(),
)
def test_what_is_no_text_is_refused_by_its_first_bytes(tmp_path, data, kind):
    path = written(tmp_path, data)
    for look in (text_input.is_packed, text_input.read, text_input.reader):
        with pytest.raises(UserError, match=kind) as raised:
            look(path)
        assert f"{path}, line 1: expected text in UTF-8" in str(raised.value)
        assert len(str(raised.value)) - len(path) < 200


def test_odd_characters_are_left_to_the_reader(tmp_path):
    for text in (b"a\0b\n\0c\n", b"\x0c\x1b[1m\t\r\n" * 9, b"\xe4" * 99):
        assert text_input.read(written(tmp_path, text)) == text


@pytest.mark.parametrize("pack", PACK.values())
@pytest.mark.parametrize("change", ["cut", "spoilt"])
def test_a_damaged_file_is_named(tmp_path, pack, change):
    data = bytearray(pack(TEXT))
    if change == "cut":
        del data[-20:]
    else:
        for place in range(40, 60):
            data[place] ^= 255
    path = written(tmp_path, bytes(data))
    with pytest.raises(UserError, match=f"{path} is packed, and cut off or"):
        text_input.read(path)
    with (
        pytest.raises(UserError, match="fetch or pack it again"),
        text_input.reader(path) as file,
    ):
        list(file)


def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_input, "_UNSUSPICIOUS_BYTES", 2**20)
    path = written(tmp_path, bz2.compress(b"a" * 2**24))
    with pytest.raises(UserError, match="more than 200 times its size"):
        text_input.read(path)


def test_a_module_that_python_lacks_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lzma", None)
    path = written(tmp_path, lzma.compress(TEXT))
    with pytest.raises(UserError, match="has no module lzma; unpack it first"):
        text_input.read(path)


def test_a_pipe_gives_what_has_come_and_is_looked_at_when_read():
    read, write = os.pipe()
    with (
        text_input.stream(open(read, "rb"), "in") as text,
        open(write, "wb", buffering=0) as out,
    ):
        assert text.is_pipe
        for piece in (b"B", b"Zh\n", b"b\n"):
            timer = threading.Timer(0.05, out.write, [piece])
            timer.start()
            timer.join()
        assert text.read(100) == b"BZh\nb\n"
        out.write(b"c")
        assert text.read(100) == b"c"


def test_a_packed_pipe_is_unpacked():
    read, write = os.pipe()
    with open(write, "wb") as out:
        out.write(gzip.compress(b"a\n"))
    with text_input.stream(open(read, "rb"), "in") as text:
        assert text.readall() == b"a\n"


def test_remote_files_too(tmp_path):
    path = written(tmp_path, gzip.compress(TEXT))
    assert text_input.read(f"file://{path}") == TEXT
    with pytest.raises(OSError, match="missing"):
        text_input.reader("file:///missing/text")


@pytest.mark.parametrize("path", ["/dev/full", "/dev/zero"])
def test_a_device_is_no_file(path):
    with pytest.raises(OSError, match="neither a file nor a pipe"):
        text_input.read(path)


def test_what_is_read_of_a_pipe_is_there_for_the_next_reader(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for text in (b"a\n", gzip.compress(b"b\n")):
        os.utime(path)  # as if it were made again
        writer = threading.Thread(target=path.write_bytes, args=[text])
        writer.start()
        first, second = (text_input.read(str(path)) for _ in range(2))
        writer.join()
        assert first == second
    assert first == b"b\n"
