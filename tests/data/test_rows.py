import pytest

from data import rows
from errors import UserError


def written(tmp_path, content, name="a.tsv"):
    path = tmp_path / name
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    return str(path)


def test_marks_blank_lines_and_crlf_are_no_problem(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbfa\tb\r\n\r\n  \nc\td")
    read = rows.read_rows(path)
    assert read == [["a", "b"], ["c", "d"]]
    assert [row.line for row in read] == [1, 4]


def test_quotes_and_other_line_ends_are_text_where_nothing_is_quoted(tmp_path):
    path = written(tmp_path, 'say "a\tb"\u2028c\x85d\re\n')
    assert rows.read_rows(path) == [['say "a', 'b"\u2028c\x85d\re']]


def test_csv_fields_may_hold_line_ends_and_delimiters(tmp_path):
    path = written(tmp_path, 'a,"b,\nc ""d"""\n\ne,f\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert read == [["a", 'b,\nc "d"'], ["e", "f"]]
    assert read[1].line == 4


def test_a_csv_field_may_be_long(tmp_path):
    path = written(tmp_path, f'"{"x" * 200_000}",b\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert len(read[0][0]) == 200_000


def test_json_lines_know_their_place(tmp_path):
    path = written(tmp_path, '\ufeff{"a": 1}\r\n\n{"a": "\\u00e9"}')
    read = rows.read_json_lines(path)
    assert [value for _, value in read] == [{"a": 1}, {"a": "é"}]
    assert [place.line for place, _ in read] == [1, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"\xef\xbb\xbf\r\n \n", "an empty file"),
        (b"a\tb\nc\0\td\n", "line 2: expected text in UTF-8. .* 0x00"),
        (b"a\n\xe9t\xe9\n", "line 2: .* 0xe9, which is no UTF-8"),
        ("a\tb\n".encode("utf-16"), "line 1: .* 0xff"),
    ],
)
def test_what_is_no_text_is_an_error_with_its_line(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=f"a.tsv.*{message}"):
        rows.read_rows(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a": \n', r"line 2: expected a JSON object \("),
        ("[1]", "line 1: expected a JSON object"),
        ('{"a": "\\ud800"}', "line 1: .*not a sound text"),
        ("[" * 100_000, "line 1: expected a JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "line 1: expected a JSON object"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=message) as raised:
        rows.read_json_lines(path)
    assert len(str(raised.value)) < 500


def test_an_unclosed_quote_is_named_where_it_opens(tmp_path):
    path = written(tmp_path, 'a,b\nc,"d\ne,f\n')
    with pytest.raises(UserError, match=r"line 2: .*Received: 'c,\"d'; close"):
        rows.read_rows(path, delimiter=",", quotechar='"')


def test_a_missing_column_is_named_and_long_lines_are_shortened():
    row = rows.Row(["x" * 1000], "f.tsv", 7)
    with pytest.raises(
        UserError, match=r"f.tsv, line 7: .* column 3"
    ) as raised:
        row.field(3, "the text")
    assert len(str(raised.value)) < 300
    assert row.field(-1, "the label") == "x" * 1000


@pytest.mark.parametrize("path", ["/nothing/a.tsv", "/"])
def test_a_file_that_cannot_be_read_is_named(path):
    with pytest.raises(UserError, match=f"cannot read {path}"):
        rows.read_text(path)


@pytest.mark.parametrize("cell", ["", "one", "nan", "inf", "-1e39", None, True])
def test_a_label_that_is_no_number_is_refused(cell):
    place = rows.Place("f.tsv", 3, "line")
    with pytest.raises(
        UserError, match=r"f.tsv, line 3: expected a finite num"
    ):
        rows.number(cell, place)


def test_numbers_are_read_from_text_and_json():
    place = rows.Place("f.tsv", 3, "line")
    assert rows.number(" 2.5 ", place) == 2.5
    assert rows.number(3, place) == 3.0
