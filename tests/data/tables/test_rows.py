import pytest

from bert.data.tables import rows
from bert.errors import UserError


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
    assert [row.place.line for row in read] == [1, 4]


def test_quotes_and_other_line_ends_are_text_where_nothing_is_quoted(tmp_path):
    path = written(tmp_path, 'say "a\tb"\u2028c\x85d\re\n')
    assert rows.read_rows(path) == [['say "a', 'b"\u2028c\x85d\re']]


def test_csv_fields_may_hold_line_ends_and_delimiters(tmp_path):
    path = written(tmp_path, 'a,"b,\nc ""d"""\n\ne,f\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert read == [["a", 'b,\nc "d"'], ["e", "f"]]
    assert read[1].place.line == 4


def test_a_csv_field_may_be_long(tmp_path):
    path = written(tmp_path, f'"{"x" * 200_000}",b\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert len(read[0][0]) == 200_000


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


def test_a_line_of_delimiters_alone_is_a_row_of_empty_fields(tmp_path):
    path = written(tmp_path, "a\tb\n\t\n \n\t\n")
    assert rows.read_rows(path) == [["a", "b"], ["", ""], ["", ""]]
    path = written(tmp_path, 'a,b\n,\n\n"",""\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert read == [["a", "b"], ["", ""], ["", ""]]


@pytest.mark.parametrize(
    ("content", "marks"),
    [
        ("\nt\n\na\n \t \n\nb\n\n \n", {}),
        ("\nt\n\na\n  \n\nb\n\n \n", {"delimiter": ",", "quotechar": '"'}),
    ],
)
def test_blank_lines_of_one_field_can_be_kept(tmp_path, content, marks, caplog):
    path = written(tmp_path, content)
    read = rows.read_rows(path, keeps_blank=True, **marks)
    assert read == [["t"], [""], ["a"], [""], [""], ["b"]]
    assert [row.place.line for row in read] == [2, 3, 4, 5, 6, 7]
    assert "a.tsv: 3 blank line(s), the first in line 3" in caplog.text
    assert rows.read_rows(path, **marks) == [["t"], ["a"], ["b"]]


def test_blank_lines_of_more_fields_are_left_out_all_the_same(tmp_path):
    path = written(tmp_path, "a\tb\n\nc\td\n")
    read = rows.read_rows(path, keeps_blank=True)
    assert read == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    "marks", [{"delimiter": ","}, {"delimiter": ",", "quotechar": '"'}]
)
def test_lines_may_end_in_cr_alone(tmp_path, marks):
    path = written(tmp_path, "a,b\rc,d\r")
    read = rows.read_rows(path, **marks)
    assert read == [["a", "b"], ["c", "d"]]
    assert read[1].place.line == 2


def test_an_unclosed_quote_is_named_where_lines_end_in_cr_alone(tmp_path):
    path = written(tmp_path, 'text,label\ra,1\r"x')
    with pytest.raises(UserError, match=r"line 3: .*Received: '\"x'; close"):
        rows.read_rows(path, delimiter=",", quotechar='"')


def test_a_csv_row_is_shown_with_its_commas_and_quotes(tmp_path):
    path = written(tmp_path, 'a,"b, c"\n')
    read = rows.read_rows(path, delimiter=",", quotechar='"')
    assert read[0].place.content == 'a,"b, c"'


def test_an_unclosed_quote_is_named_where_it_opens(tmp_path):
    path = written(tmp_path, 'a,b\nc,"d\ne,f\n')
    with pytest.raises(UserError, match=r"line 2: .*Received: 'c,\"d'; close"):
        rows.read_rows(path, delimiter=",", quotechar='"')


def test_a_missing_column_is_named_and_long_lines_are_shortened():
    row = rows.Row(["x" * 1000], rows.Place("f.tsv", 7, "x" * 1000))
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


@pytest.mark.parametrize(
    "cell", ["", "one", "nan", "inf", "-1e39", "1_0", None, True]
)
def test_a_label_that_is_no_number_is_refused(cell):
    place = rows.Place("f.tsv", 3, "line")
    with pytest.raises(
        UserError, match=r"f.tsv, line 3: expected a finite num"
    ):
        rows.number(cell, place)


def test_a_long_label_that_is_no_number_is_shortened():
    place = rows.Place("f.tsv", 3, "line")
    with pytest.raises(UserError) as raised:
        rows.number("x" * 5000, place)
    assert len(str(raised.value)) < 300


def test_lists_and_their_names_are_shortened():
    shown = rows.some(["x" * 5000, "two\nlines", "it's", *"abcdefghi"])
    assert shown.startswith("x" * 80 + "…, two\\nlines, it's, a, ")
    assert shown.endswith("g, … (12 in all)")
    assert rows.shorten(["y" * 5000]) == "['" + "y" * 78 + "…"


def test_names_are_quoted_where_that_is_needed():
    assert rows.some(["a b", " a", "", "a,b", "a\t"]) == (
        "a b, ' a', '', 'a,b', 'a\\t'"
    )


def test_the_first_row_can_be_read_alone():
    text = '\n"a;\nb";c\n"open\n'
    assert rows.first_row(text, "f", ";", '"') == ["a;\nb", "c"]
    assert rows.first_row(text, "f", ";", None) == ['"a', ""]
    with pytest.raises(UserError, match="an empty file"):
        rows.first_row("\n \n", "f", ";", '"')


def test_numbers_are_read_from_text_and_json():
    place = rows.Place("f.tsv", 3, "line")
    assert rows.number(" 2.5 ", place) == 2.5
    assert rows.number(3, place) == 3.0


def test_a_file_is_read_as_the_original_reads_it(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbfa\tb\rc\r\n\n \nd\x00")
    found = rows.read_tsv(path)
    assert found == [["\ufeffa", "bc"], [], [" "], ["d\0"]]
    assert found[2].place == (path, 3, " ")


def test_a_command_leaves_out_what_is_no_row(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbfa\tb\r\n\n \n\t\n")
    assert rows.sound_rows(rows.read_tsv(path), path) == [["a", "b"], ["", ""]]
    with pytest.raises(UserError, match="an empty file"):
        rows.sound_rows([[], [" "]], path)
    path = written(tmp_path, b"a\nb\0\n")
    with pytest.raises(UserError, match=r"line 2: .*byte 0x00, which is no te"):
        rows.sound_rows(rows.read_tsv(path), path)
