import itertools
import logging

from bert.data.corpus.documents import Documents, read_documents


def store(documents):
    """Returns lists of sentences as `Documents`."""
    stored = Documents()
    for document in documents:
        for sentence in document:
            stored.add_sentence(sentence)
        stored.end_document()
    return stored


def lists(documents):
    """What `store` was given."""
    sentences = [
        documents.ids[start:stop]
        for start, stop in itertools.pairwise(documents.bounds)
    ]
    return [
        sentences[start:stop]
        for start, stop in itertools.pairwise(documents.firsts)
    ]


def read(*files):
    return lists(read_documents(files, lambda text: [*map(ord, text)]))


def test_blank_lines_separate_documents():
    lines = [b"a\n", b"b\n", b"\n", b" \t\n", b"c\n", b"\n"]

    assert read(("x", lines)) == [[[97], [98]], [[99]]]


def test_lines_are_stripped():
    assert read(("x", [b"  a \r\n"])) == [[[97]]]
    assert read(("x", [b"a\rb\n"])) == [[[97, 98]]]  # as the original does


def test_end_of_a_file_ends_no_document():
    assert read(("x", [b"a"]), ("y", [b"b\n"])) == [[[97], [98]]]


def test_line_without_ids_is_left_out_and_ends_no_document():
    documents = read_documents(
        [("x", [b"a\n", b"-\n", b"b\n"])],
        lambda text: [] if text == "-" else [ord(text)],
    )

    assert lists(documents) == [[[97], [98]]]


def test_bytes_that_are_not_utf8_are_left_out_with_one_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="absl"):
        documents = read(
            ("x", [b"a\n"]), ("y", [b"a\n", b"\xffb\n", b"\xc3c\n"])
        )

    assert documents == [[[97], [97], [98], [99]]]
    (message,) = caplog.messages
    assert "Received 2 lines" in message
    assert "(the first: y, line 2)" in message
