"""Words are counted as BasicTokenizer cuts them, however many there are."""

import random
import zlib
from collections import Counter

import pytest

from bert.data.text import word_counts
from bert.data.text.tokenization import BasicTokenizer
from bert.data.text.word_counts import Counts, WordCounter, WordCounts

TEXT = "Ein Boot, ein\u2028BOOT! 中文 ΟΔΟΣ\t\x00ß\r\nété\u200b x\x1cy " * 3


@pytest.mark.parametrize("lower", [True, False])
def test_words_are_those_of_the_tokenizer(lower):
    found = WordCounter(lower, holds_back=False).count(
        b"\xff" + TEXT.encode() + b"\x80"
    )
    assert found.learnt == Counter(BasicTokenizer(lower).tokenize(TEXT))
    assert not found.held_back
    assert found.bad_bytes == 2


def test_a_hundredth_is_held_back():
    lines = [f"word{number % 500} and" for number in range(2000)]
    aside = [x for x in lines if zlib.crc32(x.encode()) % 100 == 0]
    assert 0 < len(aside) < 60
    found = WordCounter(True, True).count("\n".join(lines).encode())
    assert found.held_back == Counter(" ".join(aside).split())
    assert found.held_back + found.learnt == Counter(" ".join(lines).split())
    assert not found.held_back.keys() & found.learnt.keys() - {"and"}


@pytest.mark.parametrize("num_bytes", [5, 64, 10**6])
def test_blocks_are_whole_lines(tmp_path, monkeypatch, num_bytes):
    monkeypatch.setattr(word_counts, "BLOCK_BYTES", num_bytes)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a bc\n\ndefghijkl mnopqrstuvw\nx")
    two.write_bytes(b"y " * 40 + b"z")
    found = list(word_counts.blocks([str(one), str(two)]))
    words = b"\n".join(found).split()
    assert words == one.read_bytes().split() + two.read_bytes().split()


def test_other_bytes_than_utf8_are_warned_of(tmp_path, caplog):
    (tmp_path / "one").write_text("é\n")
    (tmp_path / "two").write_bytes("né à\n".encode("latin-1"))
    for name, holds_back in (("one", False), ("two", True)):
        path = str(tmp_path / name)
        word_counts.count_files([path], True, 1, holds_back=holds_back)
    assert caplog.messages == [
        "Expected UTF-8 text. Received 2 other bytes, which are left out; "
        "convert the text to UTF-8."
    ]


def parts(seed):
    rng = random.Random(seed)
    letters = "abcdefgh\u2028é中"
    for _ in range(20):
        yield Counts(
            Counter(
                "".join(rng.choices(letters, k=rng.randint(1, 3)))
                for _ in range(200)
            ),
            {},
        )


@pytest.mark.parametrize("most", [50, 300, 10**6])
def test_the_frequent_ones_stay(most):
    whole = sum((counts.learnt for counts in parts(1)), Counter())
    with WordCounts(most) as counts:
        for part in parts(1):
            counts.add(part)
        found, num_words = counts.frequent()
    assert num_words == len(whole)
    assert counts.total == whole.total()
    if most > num_words:
        assert found == whole
        return
    assert len(found) <= most
    least = min(found.values())
    assert found == {w: n for w, n in whole.items() if n >= least}
    rarer = max(n for n in whole.values() if n < least)
    assert len(found) + list(whole.values()).count(rarer) > most


def test_its_files_go(tmp_path, monkeypatch):
    monkeypatch.setattr(word_counts.tempfile, "tempdir", str(tmp_path))
    with WordCounts(1) as counts:
        for part in parts(1):
            counts.add(part)
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
