"""Raw text → what create_pretraining_data.py reads."""

import json
import random
import re

import pytest

from bert.errors import UserError
from bert.tools import prepare_text as script
from tests.data.preparation import wiki_dump
from tests.scripts.runner import config_of

pytest.importorskip("sentencex", reason="requirements-text.txt")


def prepare(*args):
    script.prepare_text(config_of(script, "--language=de", *map(str, args)))


def test_a_dump(tmp_path):
    pytest.importorskip("mwparserfromhell", reason="requirements-text.txt")
    dump, out = tmp_path / "dump.xml.bz2", tmp_path / "out.txt"
    wiki_dump.write(dump)
    prepare(
        f"--input_file={dump}",
        f"--output_file={out}",
        "--input_format=wiki_xml",
    )
    articles = out.read_text(encoding="utf-8").split("\n\n")
    assert len(articles) == 60
    for number, article in enumerate(articles):
        expected = [x.format(number=number) for x in wiki_dump.SENTENCES]
        assert article.strip().split("\n") == expected
    report = json.loads((tmp_path / "out.txt.report.json").read_text())
    assert report["documents written"] == 60
    assert report["sentences written"] == 180
    assert report["left out"]["redirects"] == 6


def test_processes_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "_BATCH_CHARS", 500)
    rng = random.Random(1)
    words = ["Boot", "Fluss.", "Er", "ging!", "zwei", "3.5"]
    texts = [
        " ".join(rng.choices(words, k=rng.randint(1, 30))) for _ in range(300)
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": x}) + "\n" for x in texts))
    found = set()
    for workers in (1, 3):
        out = tmp_path / f"{workers}.txt"
        prepare(
            f"--input_file={path}",
            f"--output_file={out}",
            *("--input_format=jsonl", f"--num_workers={workers}"),
        )
        found.add(out.read_bytes())
    [data] = found
    assert 100 < data.count(b"\n\n") < 300


def test_duplicates(tmp_path):
    words = " ".join(f"Wort{number}" for number in range(200))
    path, out = tmp_path / "in.txt", tmp_path / "out.txt"
    path.write_text(f"{words}\n{words}\n{words} mehr\nanderes\n")
    flags = (f"--input_file={path}", f"--output_file={out}", "--overwrite")
    prepare(*flags, "--documents_are=lines")
    assert out.read_text().count("\n\n") == 2
    pytest.importorskip("rensa", reason="requirements-text.txt")
    prepare(*flags, "--documents_are=lines", "--near_duplicates=0.8")
    assert out.read_text() == f"{words}\n\nanderes\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input_file=nowhere"], "No file matches --input_file"),
        (["--output_file=in.txt"], "is also an input"),
        (["--output_file=old.txt"], "old.txt is there already"),
        (["--output_file=new"], "new.report.json is there already"),
        (["--output_file=no/x"], "a folder that does not exist"),
        (["--language=Deutsch, bitte"], "--language must be a code"),
        (["--input_file=empty.txt"], "no document has a sentence"),
        (["--input_file=zip.txt"], "a zip archive"),
        (["--input_format=jsonl"], "line 1: expected a JSON object"),
        (
            ["--input_format=jsonl", "--documents_are=lines"],
            "--documents_are is",
        ),
        (["--input_format=wiki_xml"], "expected XML as MediaWiki"),
        (["--text_key=body"], "--text_key is for --input_format=jsonl"),
        (["--max_memory=2"], "--max_memory is for --near_duplicates"),
        (["--language=german"], "code of ISO 639"),
        (["--language=xq"], "code of ISO 639"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.txt").write_text("Ein Text.\n")
    (tmp_path / "old.txt").write_text("mine")
    (tmp_path / "new.report.json").write_text("mine")
    (tmp_path / "empty.txt").write_text(" \n\u200b\n12\n")
    (tmp_path / "zip.txt").write_bytes(b"PK\x03\x04" * 9)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match=message):
        prepare("--input_file=in.txt", "--output_file=out.txt", *flags)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("sentencex", []),
        ("mwparserfromhell", ["--input_format=wiki_xml"]),
        ("rensa", ["--near_duplicates=0.8"]),
    ],
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, name, flags):
    find = script.importlib.util.find_spec
    monkeypatch.setattr(
        script.importlib.util,
        "find_spec",
        lambda x: None if x == name else find(x),
    )
    with pytest.raises(UserError, match=re.escape(f"needs {name}, which")):
        prepare(f"--input_file={tmp_path}", "--output_file=x", *flags)
