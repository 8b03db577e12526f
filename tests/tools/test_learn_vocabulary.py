"""Text → vocab.txt: its layout, and what is refused."""

import gzip
import json
import logging
import random
import re

import pytest

from bert.errors import UserError
from bert.tools import learn_vocabulary as script
from tests.scripts.runner import config_of

WORDS = ["boat", "boats", "river", "RIVER", "été", "sees", "unseen", "."]


@pytest.fixture
def text(tmp_path):
    rng = random.Random(1)
    lines = (" ".join(rng.choices(WORDS, k=9)) for _ in range(400))
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def learn(*args):
    script.learn_vocabulary(config_of(script, *map(str, args)))


def test_the_layout_is_the_originals(text, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    out = tmp_path / "vocab.txt"
    learn(f"--input_file={text}", f"--output_file={out}", "--vocab_size=150")
    pieces = out.read_text(encoding="utf-8").split("\n")[:-1]
    assert pieces[:2] == ["[PAD]", "[unused0]"]
    assert pieces[99:104] == [
        *("[unused98]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    ]
    assert pieces[104] == "."
    assert len(pieces) == len({*pieces}) <= 150
    assert {"boat", "river", "ete"} <= {*pieces}
    assert re.search(r"Text learnt from, \d+ words: 1\.\d+ pieces", caplog.text)


def test_the_golden(golden, tmp_path):
    out = tmp_path / "vocab.txt"
    learn(
        f"--input_file={golden / 'wordpiece/chinese.txt'}",
        f"--output_file={out}",
        *("--vocab_size=400", "--num_unused=0", "--max_unique_chars=1000"),
    )
    file = golden / "wordpiece/vocabularies.json.gz"
    expected = json.loads(gzip.decompress(file.read_bytes()))["chinese"]
    assert out.read_text(encoding="utf-8").split("\n")[:-1] == expected


def test_processes_and_packing_change_nothing(text, tmp_path, monkeypatch):
    from bert.data.text import word_counts

    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(text.read_bytes()))
    monkeypatch.setattr(word_counts, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(script, "_LEAST_BYTES_TO_HOLD_BACK", 0)
    found = set()
    for number, (source, workers) in enumerate(
        [(text, 1), (text, 2), (packed, 2)]
    ):
        out = tmp_path / f"{number}.txt"
        learn(
            f"--input_file={source}",
            f"--output_file={out}",
            *("--vocab_size=150", f"--num_workers={workers}"),
        )
        found.add(out.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input_file=nowhere"], "No file matches --input_file"),
        (["--input_file=."], "names a folder"),
        (["--vocab_size=104"], "--vocab_size must be above 104"),
        (["--vocab_size=110"], "no room for the 1. characters"),
        (["--num_unused=50000"], "--vocab_size must be above 50005"),
        (["--output_file=text.txt"], "is also an input"),
        (["--output_file=old.txt"], "is there already"),
        (["--output_file=no/v.txt"], "a folder that does not exist"),
        (["--output_file=."], "is a folder"),
        (["--input_file=empty.txt"], "where no line has a word"),
        (["--input_file=zip.txt"], "a zip archive"),
        (["--input_file=text.txt,wiki.xml"], "wiki.xml: .* dump of MediaWiki"),
        (["--input_file=a.jsonl"], "JSON objects; .* --input_format=jsonl"),
        (["--num_unused=9999999999"], "must be above 10000000004"),
        (["--min_frequency=9999"], "expected a character that occurs so oft"),
    ],
)
def test_what_is_refused(text, tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.txt").write_text("mine")
    (tmp_path / "empty.txt").write_text(" \n\u200b\n")
    (tmp_path / "zip.txt").write_bytes(b"PK\x03\x04" * 9)
    (tmp_path / "wiki.xml").write_text("<mediawiki>\n<page>\n")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=message):
        learn("--input_file=text.txt", "--output_file=new.txt", *flags)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "old.txt").read_text() == "mine"


def test_an_old_file_is_replaced_if_asked(text, tmp_path):
    out = tmp_path / "vocab.txt"
    out.write_text("mine")
    learn(f"--input_file={text}", f"--output_file={out}", "--overwrite")
    assert out.read_text(encoding="utf-8").startswith("[PAD]\n")
