"""What a document is, in each format."""

import json
from collections import Counter

import pytest

from bert.data.preparation import documents
from bert.errors import UserError
from tests.data.preparation import wiki_dump


def write(folder, *texts):
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(str(path))
    return paths


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("blank_lines", ["a\nb\n", "c\n", "d"]),
        ("lines", ["a\n", "b\n", "c\n", "d"]),
        ("files", ["a\nb\n\n \nc\n", "d"]),
    ],
)
def test_text(tmp_path, unit, expected):
    paths = write(tmp_path, b"\xef\xbb\xbfa\nb\n\n \nc\n", b"d\xe9", " \n")
    left_out = Counter()
    found = documents.read_text(paths, unit, left_out)
    assert [document.text for document in found] == expected
    assert left_out == {"bytes that are no UTF-8": 1}


def test_bytes_that_are_no_text_are_warned_of_once(tmp_path, caplog):
    paths = write(tmp_path, b"a\n\xe9b\n\xe9\n", b"\xe9")
    list(documents.read_text(paths, "lines", Counter()))
    assert "Expected UTF-8 text" in caplog.text
    assert "0.txt, line 2); convert" in caplog.text
    assert len(caplog.records) == 1
    paths = write(tmp_path, b'{"text": "\xe9"}')
    list(documents.read_jsonl(paths, "text", Counter()))
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<mediawiki xml:lang='fr'>\n", "wiki_xml"),
        ("<?xml version='1.0'?>\n <page>\n", "wiki_xml"),
        ('\n{"text": "a"}\n{"text": "b"}\n', "jsonl"),
        ('{"text": "a"}\nis JSON.\n', None),
        ("{a} b\n", None),
    ],
)
def test_text_of_another_format_is_refused(tmp_path, text, wanted):
    paths = write(tmp_path, text)
    if wanted is None:
        assert list(documents.read_text(paths, "files", Counter()))
        return
    with pytest.raises(UserError, match=f"say --input_format={wanted}"):
        list(documents.read_text(paths, "files", Counter()))


def test_a_text_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "_MOST_CHARS", 5)
    paths = write(tmp_path, "ab\ncd\nef\n")
    with pytest.raises(UserError, match="line 2: expected documents of at"):
        list(documents.read_text(paths, "files", Counter()))
    assert len(list(documents.read_text(paths, "lines", Counter()))) == 3


def test_jsonl(tmp_path):
    paths = write(tmp_path, '{"text": "a", "id": 3}\n\n{"text": "b\\nc"}')
    found = documents.read_jsonl(paths, "text", Counter())
    assert [document.text for document in found] == ["a", "b\nc"]


@pytest.mark.parametrize(
    "line", ["x", "[1]", '{"txt": "a"}', '{"text": 3}', "[" * 10**5, "\x00"]
)
def test_what_is_no_such_json_is_named(tmp_path, line):
    paths = write(tmp_path, f"{json.dumps({'text': 'a'})}\n{line}\n")
    with pytest.raises(UserError, match="line 2: expected"):
        list(documents.read_jsonl(paths, "text", Counter()))


def test_articles_of_a_dump(tmp_path):
    path = tmp_path / "dump.xml.bz2"
    wiki_dump.write(path)
    left_out = Counter()
    found = list(documents.read_wiki_xml([str(path)], left_out))
    assert len(found) == 60
    assert "'''Boot 3'''" in found[3].text
    assert {"datei", "file", "kategorie"} <= {*found[0].no_text}
    assert left_out == {"redirects": 6, "pages that are no articles": 3}


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "",
        "<a><b></a>",
        "<mediawiki><page>",
        "<html></html>",
        '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&c;">]><x>&b;</x>',
    ],
)
def test_what_is_no_dump_is_named(tmp_path, text):
    paths = write(tmp_path, text)
    with pytest.raises(UserError, match="as MediaWiki exports"):
        list(documents.read_wiki_xml(paths, Counter()))
