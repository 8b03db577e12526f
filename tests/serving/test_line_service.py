"""Lines in, lines of JSON out; a service here is a function or two."""

import io
import itertools
import json
import os
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.serving import line_service


def serve(path, service):
    """Answers a file; returns what was written and the error."""
    out, message = io.BytesIO(), None
    try:
        with line_service.open_input(str(path)) as source:
            line_service.serve(source, service, out)
    except UserError as error:
        message = str(error)
    return out.getvalue().decode(), message


def read(place):
    """Refuses `bad`; blank lines ask nothing."""
    if place.content == "bad":
        raise place.fault("something good")
    return place.content or None


def test_lines_of_a_stream_in_pieces():
    """What has arrived is answered; a line in two parts when it is whole."""
    chunks = iter([b"a\r\nb", b"\xc3", b"\xa4\nc\nd\ne", b"\n", b"f", b""])
    source = line_service.Input("in", True, lambda _: next(chunks))
    batches = []

    def answer(requests):
        batches.append(requests)
        return requests

    out = io.BytesIO()
    service = line_service.Service(lambda p: p.content, answer, 9, 2)
    line_service.serve(source, service, out)
    assert batches == [["a"], ["bä", "c"], ["d"], ["e"], ["f"]]
    assert [json.loads(x) for x in out.getvalue().splitlines()] == [
        *("a", "bä", "c", "d", "e", "f")
    ]


class Piece(bytes):
    """A chunk that may be joined to others, but not added to a line."""

    def split(self, separator):
        return [Piece(part) for part in super().split(separator)]

    def __radd__(self, line):
        raise AssertionError("the line so far was copied")


def test_a_long_line_in_many_pieces_takes_linear_time():
    """Each piece is copied once, whatever came before it."""
    pieces = itertools.chain(
        itertools.repeat(Piece(b"x" * 2**16), 2000), [Piece(b"\ny")]
    )
    source = line_service.Input("in", True, lambda _: next(pieces, b""))
    out = io.BytesIO()
    service = line_service.Service(lambda p: len(p.content), list, 9, 2)
    line_service.serve(source, service, out)
    assert out.getvalue().split() == [b"131072000", b"1"]


def test_remote_files_are_read():
    with tf.io.gfile.GFile("ram://lines/in.txt", "w") as file:
        file.write("a\nb\n")
    with line_service.open_input("ram://lines/in.txt") as source:
        assert not source.is_stream
        assert source.read(2) == b"a\n"
        assert source.read(9) == b"b\n"
    with (
        pytest.raises(UserError, match="Cannot read --input_file=ram://no"),
        line_service.open_input("ram://no/in.txt"),
    ):
        pass


def test_a_named_pipe_is_a_stream(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("a\nb\n",))
    writer.start()
    with line_service.open_input(str(path)) as source:
        assert source.is_stream
        assert source.read(100) == b"a\nb\n"
    writer.join()


def test_a_file_as_standard_input_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text("a\n")
    with open(tmp_path / "in.txt") as file:
        monkeypatch.setattr(sys, "stdin", file)
        with line_service.open_input(None) as source:
            assert not source.is_stream
            assert source.name == "standard input"
            assert source.read(100) == b"a\n"
    monkeypatch.setattr(sys, "stdin", None)
    with (
        pytest.raises(UserError, match="neither --input_file nor"),
        line_service.open_input(None),
    ):
        pass


def test_lines_of_a_file_are_answered_many_at_a_time(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("".join(f"{number}\n" for number in range(7)))
    batches = []

    def answer(requests):
        batches.append(len(requests))
        return map(int, requests)

    written, _ = serve(path, line_service.Service(read, answer, 3, 1))

    assert batches == [3, 3, 1]
    assert written == "0\n1\n2\n3\n4\n5\n6\n"


def test_lines_that_ask_nothing_are_passed_over_and_counted(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\n\nb\nbad\nc\n")

    written, message = serve(path, line_service.Service(read, list, 9, 1))

    assert written == '"a"\n"b"\n'
    assert message.startswith(f"{path}, line 5: expected something good.")


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"a\nb\xe4\n")

    written, message = serve(path, line_service.Service(read, list, 9, 1))

    assert written == '"a"\n'
    assert message.startswith(f"{path}, line 2: expected text in UTF-8. Recei")
    assert "0xe4" in message


def test_an_answer_that_fails_names_its_line(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("a\n\nb\nc\n")

    def answer(requests):
        yield requests[0]
        raise UserError("numbers that are not finite.")

    written, message = serve(path, line_service.Service(read, answer, 9, 1))

    assert written == '"a"\n'
    assert message == f"{path}, line 3: numbers that are not finite."


def test_each_answer_is_flushed_before_the_next_is_computed(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("a\nb\nc\n")
    written = tmp_path / "out.txt"
    seen = []

    def answer(requests):
        for request in requests:
            seen.append(written.read_text())
            yield request

    with (
        open(written, "wb") as out,
        line_service.open_input(str(path)) as source,
    ):
        service = line_service.Service(read, answer, 9, 1)
        line_service.serve(source, service, out)

    assert seen == ["", '"a"\n', '"a"\n"b"\n']


def test_a_reader_that_is_gone_ends_it_as_filters_end(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("a\n")
    service = line_service.Service(read, list, 9, 1)
    reading, writing = os.pipe()
    os.close(reading)

    with (
        open(writing, "wb") as out,
        line_service.open_input(str(path)) as source,
        pytest.raises(SystemExit) as caught,
    ):
        line_service.serve(source, service, out)

    # Leaving flushed what was left, and nobody complained.
    assert caught.value.code == 141


def test_arrays_are_rounded_and_texts_stay_as_they_are():
    answer = {"v": np.array([[1 / 3, 2e-7]], np.float32), "p": 1 / 3, "t": "ä"}

    assert line_service.to_json(answer) == (
        '{"v": [[0.333333, 0.0]], "p": 0.3333333333333333, "t": "ä"}'
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.txt", r"^Cannot read --input_file=.*none.txt: No such file"),
        (".", r"^Cannot read --input_file=.*: Is a directory"),
        (None, "^--input_file must name a file. Received: an empty name"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path, name, message):
    path = "" if name is None else str(tmp_path / name)

    with (
        pytest.raises(UserError, match=message),
        line_service.open_input(path),
    ):
        pass


def test_an_output_must_be_open(monkeypatch):
    assert line_service.open_output() is sys.stdout.buffer
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UserError, match="an open standard output"):
        line_service.open_output()
