"""What was there before is known again."""

import pytest

from bert.data.preparation import duplicates
from bert.errors import UserError


def test_equal_documents_have_one_digest():
    assert duplicates.digest(["a", "b"]) == duplicates.digest(["a", "b"])
    assert duplicates.digest(["a", "b"]) != duplicates.digest(["a b"])
    assert len(duplicates.digest(["\ud800"])) == 16


def test_a_digest_is_new_once(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates.tempfile, "tempdir", str(tmp_path))
    with duplicates.Seen() as seen:
        assert seen.add(b"a" * 16)
        assert seen.add(b"b" * 16)
        assert not seen.add(b"a" * 16)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def nearly():
    pytest.importorskip("rensa", reason="requirements-text.txt")
    return duplicates.NearlySeen(0.8, 10**6)


WORDS = [f"word{number}" for number in range(300)]


def test_a_word_more_is_nearly_the_same(nearly):
    assert nearly.add(WORDS)
    assert not nearly.add([*WORDS, "more"])
    assert not nearly.add([word.upper() for word in WORDS])
    assert nearly.add(WORDS[::-1])
    assert nearly.add(WORDS[:150])


@pytest.mark.parametrize(("similarity", "is_new"), [(0.7, False), (0.97, True)])
def test_how_much_is_shared_decides(similarity, is_new):
    pytest.importorskip("rensa", reason="requirements-text.txt")
    nearly = duplicates.NearlySeen(similarity, 10**6)
    assert nearly.add(WORDS)
    # 272 of 320 runs are in both: 0.85.
    changed = [f"other{number}" for number in range(20)]
    assert nearly.add([*WORDS[:100], *changed, *WORDS[120:]]) == is_new


def test_short_documents(nearly):
    assert nearly.add(["a"])
    assert not nearly.add(["a"])
    assert nearly.add(["b c"])


def test_too_many_are_refused():
    pytest.importorskip("rensa", reason="requirements-text.txt")
    nearly = duplicates.NearlySeen(0.8, 2 * duplicates.BYTES_OF_A_DOCUMENT)
    assert nearly.add(["a"])
    assert nearly.add(["b"])
    assert not nearly.add(["b"])
    with pytest.raises(UserError, match="--max_memory has room for 2"):
        nearly.add(["c"])
