import hashlib
import json
from pathlib import Path

import pytest

from bert.data.records import record_reuse
from bert.data.records.record_reuse import Written
from bert.data.text.tokenization import FullTokenizer

TOKENS = ["[UNK]", "[CLS]", "[SEP]", "a", "b"]
WRITTEN = Written(7, hashlib.sha256(b"records").hexdigest(), [5, 2])
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
    record_reuse.keep(str(path), "k", WRITTEN)
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


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A folder for each package whose code is in the key, with rooms in it."""
    root = tmp_path / "bert"
    for module in ("data/a.py", "data/room/b.py", "tasks/room/inner/c.py"):
        (root / module).parent.mkdir(parents=True, exist_ok=True)
        (root / module).write_text("x = 1")
    monkeypatch.setattr(record_reuse, "_ROOT", root)
    record_reuse._code.cache_clear()
    yield root
    record_reuse._code.cache_clear()


@pytest.mark.parametrize(
    "module",
    ["data/a.py", "data/room/b.py", "tasks/room/inner/c.py", "tasks/new.py"],
)
def test_the_code_of_every_room_is_in_the_key(key, code, module):
    """Else stale records would be used again in silence."""

    def key_with(text):
        (code / module).write_text(text)
        record_reuse._code.cache_clear()
        return key()

    before = key()
    assert key_with("x = 2") != before
    assert key_with("x = 1") != key_with("x = 2")
    (code / module).rename(code / "data/other.py")
    record_reuse._code.cache_clear()
    assert key() != before


def test_records_of_other_code_are_not_used(key, code, kept):
    record_reuse.keep(str(kept), key(), WRITTEN)
    assert record_reuse.current(str(kept), key()) == WRITTEN
    (code / "data/room/b.py").write_text("x = 2")
    record_reuse._code.cache_clear()
    assert record_reuse.current(str(kept), key()) is None


def test_all_that_makes_records_is_hashed():
    """The rooms that this tree has, not those of a test."""
    names = []

    class Digest:
        def update(self, data):
            names.append(data.split(b" ", 1)[0].decode())

        def hexdigest(self):
            return ""

    record_reuse._code.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_reuse.hashlib, "sha256", Digest)
        record_reuse._code()
    record_reuse._code.cache_clear()
    assert {
        "data/text/tokenization.py",
        "data/records/packing.py",
        "tasks/squad/windows.py",
    } <= set(names)


def test_a_file_as_it_was_written_is_current(kept):
    assert record_reuse.current(str(kept), "k") == WRITTEN
    assert {path.name for path in kept.parent.iterdir()} == {
        "train.tf_record",
        "train.tf_record.fingerprint",
    }


def change_note(path, **values):
    note = Path(f"{path}.fingerprint")
    changed = {**json.loads(note.read_text()), **values}
    kept = {name: value for name, value in changed.items() if value is not None}
    note.write_text(json.dumps(kept))


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
        # Of a version that kept no lengths.
        lambda path: change_note(path, lengths=None),
        lambda path: change_note(path, lengths=[1, "2"]),
        lambda path: change_note(path, lengths=[1, 2.0]),
        lambda path: change_note(path, size=8),
    ],
)
def test_whatever_is_in_doubt_is_not_current(kept, change):
    change(kept)
    assert record_reuse.current(str(kept), "k") is None


def test_records_of_another_key_are_not_read(kept, monkeypatch):
    monkeypatch.setattr(
        record_reuse, "_size_and_hash", lambda *_: pytest.fail("read")
    )
    assert record_reuse.current(str(kept), "l") is None


def test_the_note_says_what_the_file_is(kept):
    note = json.loads(Path(f"{kept}.fingerprint").read_text())
    assert note == {"made_from": "k", **WRITTEN._asdict()}
