"""What is text, and what only begins like another format."""

import bz2
import gzip
import os

import pytest

from bert.data.text import plain_text
from bert.errors import UserError

DUMP = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" '
    'version="0.10">\n  <siteinfo>\n'
)


def write(tmp_path, text, pack=bytes):
    path = tmp_path / "text"
    path.write_bytes(pack(text.encode()))
    return [str(path)]


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress])
@pytest.mark.parametrize(
    ("text", "name"),
    [
        (DUMP, "wiki_xml"),
        ("\ufeff\n" + DUMP, "wiki_xml"),
        ('<?xml version="1.0" encoding="utf-8"?>\n' + DUMP, "wiki_xml"),
        ('<mediawiki xmlns="x"\n  xmlns:xsi="y">\n', "wiki_xml"),
        ("<mediawiki>\n<page>\n", "wiki_xml"),
        ("  <page>\n    <title>A</title>\n", "wiki_xml"),
        ("<page><title>A</title><ns>0</ns>", "wiki_xml"),
        ('{"text": "a b.", "id": 3}', "jsonl"),
        ('\n{"id": 1, "text": "a"}\r\n\n{"text": ""}\n' * 9 + "a", "jsonl"),
    ],
)
def test_another_format_is_refused(tmp_path, text, name, pack):
    with pytest.raises(
        UserError, match=rf"bert prepare_text --input_format={name}\)\.$"
    ) as caught:
        plain_text.check(write(tmp_path, text, pack))
    assert len(str(caught.value).replace(str(tmp_path), "")) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "A sentence.\n" + DUMP,
        "<mediawiki> is the root of a dump.\n",
        "<mediawiki\nis what it begins with.\n",
        "<mediawikis>\n",
        "<page>\nOne.\n",
        "<page> <title> are tags of it.\n",
        '<?xml version="1.0"?>\n<html>\n',
        "<doc id=3>\nA.\n</doc>\n",
        "{a} b.\n",
        "{}, it said.\n{\n",
        '{"text": "a"}\nis JSON.\n',
        '["text"]\n',
        "{" * 10**5,
        '{"text": ' + "[" * 10**5,
    ],
)
def test_what_may_be_text_is_text(tmp_path, text, caplog):
    plain_text.check(write(tmp_path, text))
    assert not caplog.messages


def test_other_json_is_told_in_a_line(tmp_path, caplog):
    plain_text.check(write(tmp_path, '{"msg": "a"}\n{"text": "b"}\n'))
    (message,) = caplog.messages
    assert "Received: JSON objects; make text" in message


def test_a_pipe_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    plain_text.check([str(tmp_path / "pipe")])


def test_what_is_no_text_at_all_is_refused(tmp_path):
    with pytest.raises(UserError, match="a PDF"):
        plain_text.check(write(tmp_path, "%PDF-1.4\n"))
