import re

import numpy as np
import pytest

from bert.data.records import length_sorting
from bert.data.records.packing import Packed
from bert.errors import UserError
from bert.tasks.features import features_text as ft
from bert.tasks.spec import INPUTS


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", ("a", None)),
        ("", ("", None)),
        ("  \t ", ("", None)),
        (" a b \r\n", ("a b", None)),
        ("a ||| b", ("a", "b")),
        ("  a ||| b  ", ("a", "b")),
        ("a ||| b ||| c", ("a ||| b", "c")),
        ("a ||| ||| b", ("a |||", "b")),
        ("a  |||  b", ("a ", " b")),
        ("a|||b", ("a|||b", None)),
        ("a ||| ", ("a |||", None)),
        (" ||| b", ("||| b", None)),
        ("a\t|||\tb", ("a\t|||\tb", None)),
        ("a |||| b", ("a |||| b", None)),
        ("a \u2028 ||| b", ("a \u2028", "b")),
    ],
)
def test_a_line_is_split_as_the_originals_expression_splits_it(line, expected):
    match = re.match(r"^(.*) \|\|\| (.*)$", line.strip())
    by_expression = match.groups() if match else (line.strip(), None)
    assert ft.split_line(line) == expected == by_expression


def read(*lines):
    return list(ft.read_lines("text.txt", lines))


def test_bad_bytes_are_left_out_with_one_warning(caplog):
    assert read(b"a\n", b"b\xffc\n", b"\xfe\n", "ü ||| ö".encode()) == [
        ("a", None),
        ("bc", None),
        ("", None),
        ("ü", "ö"),
    ]
    (message,) = caplog.messages
    assert message.startswith("text.txt: expected UTF-8 text. Received 2 lines")
    assert "the first: line 2" in message


def test_windows_are_padded_and_the_last_one_is_shorter():
    packed = [Packed([101, 7, 102], 3 if n % 2 else 2) for n in range(5)]
    windows, _ = ft.windows(packed, 2, 4)
    found = [{k: v.numpy() for k, v in w.items()} for w in windows]
    expected = {
        "input_ids": [[101, 7, 102, 0]] * 2,
        "input_mask": [[1, 1, 1, 0]] * 2,
        "segment_ids": [[0, 0, 1, 0], [0, 0, 0, 0]],
    }
    assert {k: v.tolist() for k, v in found[0].items()} == expected
    assert {v.dtype for v in found[0].values()} == {np.dtype(np.int32)}
    assert [len(window["input_ids"]) for window in found] == [2, 2, 1]


def test_no_iterator_waits_for_the_tuner():
    dataset, _ = ft.windows([], 2, 4)
    batches = length_sorting.sorted_batches(dataset, 2, per_token=INPUTS)
    assert batches.options().autotune.enabled is False


def test_rows_are_read_as_they_are_needed():
    num_read = 0

    def packed():
        nonlocal num_read
        for _ in range(1000):
            num_read += 1
            yield Packed([101, 102], 2)

    windows, _ = ft.windows(packed(), 2, 4)
    next(iter(windows))
    # TensorFlow looks some windows ahead.
    assert 2 <= num_read < 500


def test_an_error_between_rows_is_given_back():
    def packed():
        yield Packed([101, 102], 2)
        raise UserError("line 2 is bad")

    windows, true_error = ft.windows(packed(), 1, 4)
    iterator = iter(windows)
    next(iterator)
    with pytest.raises(Exception, match="line 2 is bad") as caught:
        next(iterator)
    error = true_error(caught.value)
    assert isinstance(error, UserError)
    assert str(error) == "line 2 is bad"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_text(""), "empty"),
    ],
)
def test_a_file_that_has_no_lines_is_refused(tmp_path, make, message):
    path = tmp_path / "text"
    make(path)
    with (
        pytest.raises(UserError, match=rf"--flag={path}.*{message}"),
        ft.open_lines(str(path), "flag"),
    ):
        pass


def test_a_file_gives_its_lines(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"a ||| b\r\n\nc")
    with ft.open_lines(str(path), "flag") as lines:
        assert list(lines) == [("a", "b"), ("", None), ("c", None)]


def test_a_carriage_return_in_a_line_is_dropped_as_in_the_original():
    assert ft.split_line("a\rb |||\r c\r\n") == ("ab", "c")
