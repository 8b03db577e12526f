import hashlib
import json
from pathlib import Path

import pytest

from bert.data.records import record_reuse
from bert.data.text.tokenization import FullTokenizer

TOKENS = ["[UNK]", "[CLS]", "[SEP]", "a", "b"]
INPUTS = [("a", "b", 1), ("b", None, 0)]


@pytest.fixture
def key(tmp_path):
    """Returns a function: what to make otherwise to the key."""

    def make(tokens=TOKENS, lower=True, settings=(16,), inputs=INPUTS):
        (tmp_path / "vocab.txt").write_text("\n".join(tokens))
        tokenizer = FullTokenizer(tmp_path / "vocab.txt", lower)
        return record_reuse.made_from(tokenizer, settings, inputs)

    return make


@pytest.fixture
def kept(tmp_path):
    """A file of records with its note; their key is "k"."""
    path = tmp_path / "train.tf_record"
    path.write_bytes(b"records")
    record_reuse.keep(str(path), "k")
    return path


@pytest.mark.parametrize(
    "other",
    [
        {"tokens": TOKENS[:3] + TOKENS[:2:-1]},
        {"lower": False},
        {"settings": (17,)},
        {"inputs": INPUTS[::-1]},
        {"inputs": INPUTS[:1]},
        {"inputs": [("a", "b", 0), INPUTS[1]]},
        {"inputs": [("a", "b'", 1), INPUTS[1]]},
        {"inputs": [("a", "b\n", 1), INPUTS[1]]},
        {"inputs": [("b", "a", 1), INPUTS[1]]},
    ],
)
def test_whatever_decides_the_records_is_in_the_key(key, other):
    assert key() == key()
    assert key(**other) != key()


def test_the_code_is_in_the_key(key, tmp_path, monkeypatch):
    before = key()
    code = tmp_path / "code"
    code.mkdir()
    found = []
    for text in ("x = 1", "x = 2", "x = 1"):
        (code / "module.py").write_text(text)
        monkeypatch.setattr(
            record_reuse.importlib.resources, "files", lambda name: code
        )
        record_reuse._code.cache_clear()
        found.append(key())
    monkeypatch.undo()
    record_reuse._code.cache_clear()
    assert found[0] != found[1]
    assert found[0] == found[2]
    assert key() == before
    assert before not in found


def test_a_file_as_it_was_written_is_current(kept):
    assert record_reuse.is_current(str(kept), "k")
    assert {path.name for path in kept.parent.iterdir()} == {
        "train.tf_record",
        "train.tf_record.fingerprint",
    }


@pytest.mark.parametrize(
    "change",
    [
        Path.unlink,
        lambda path: path.write_bytes(b"record"),
        lambda path: path.write_bytes(b"Records"),
        lambda path: Path(f"{path}.fingerprint").unlink(),
        lambda path: Path(f"{path}.fingerprint").write_text("{"),
        lambda path: Path(f"{path}.fingerprint").write_text("[1]"),
        lambda path: Path(f"{path}.fingerprint").write_text("[" * 10**5),
        lambda path: Path(f"{path}.fingerprint").write_bytes(b"\xff"),
        lambda path: Path(f"{path}.fingerprint").write_text(
            '{"made_from": "k"}'
        ),
    ],
)
def test_whatever_is_in_doubt_is_not_current(kept, change):
    change(kept)
    assert not record_reuse.is_current(str(kept), "k")


def test_records_of_another_key_are_not_read(kept, monkeypatch):
    monkeypatch.setattr(
        record_reuse, "_description", lambda *_: pytest.fail("read")
    )
    assert not record_reuse.is_current(str(kept), "l")


def test_the_note_says_what_the_file_is(kept):
    note = json.loads(Path(f"{kept}.fingerprint").read_text())
    assert note["size"] == 7
    assert note["sha256"] == hashlib.sha256(b"records").hexdigest()
