import pytest

from bert.errors import UserError
from bert.tasks.classification import told_settings
from bert.tasks.classification.table_settings import TableSettings

BOTH = ("text_column", "label_column")
ROWS = [f"{n},my box {n} is late,{'ab'[n % 2]}" for n in range(6)]


@pytest.fixture
def told(tmp_path):
    """Returns a function: lines of a file to the columns that it tells."""

    def tell(*lines, name="a.csv", set_type="train", unnamed=BOTH, **settings):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        given = TableSettings(path.suffix[1:], **settings)
        found = told_settings.told(given, str(path), set_type, unnamed)
        return found.text_column, found.label_column

    return tell


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("id,message,team", ("message", "team")),
        ("id,text,team", ("text", "team")),
        ("id,Text,Label", ("Text", "Label")),
        ("id,Nachricht,Abteilung", ("Nachricht", "Abteilung")),
        (",Nachricht,", ("Nachricht", "2")),
    ],
)
def test_what_is_told_is_one_line_of_the_log(told, header, expected, caplog):
    caplog.set_level("INFO", logger="absl")
    assert told(header, *ROWS) == expected
    (line,) = caplog.messages
    assert "a.csv: its columns tell --" in line
    assert line.endswith(f"--label_column={expected[1]}.")


def test_columns_of_the_usual_names_tell_nothing_new(told, caplog):
    caplog.set_level("INFO", logger="absl")
    assert told("message,text,label,team", "a b c,b c d,x,y") == (
        "text",
        "label",
    )
    assert caplog.messages == []


def test_a_flag_is_never_replaced(told):
    assert told("id,message,team", *ROWS, unnamed=()) == ("text", "label")
    other = told(
        *("id,message,team", *ROWS),
        unnamed=["label_column"],
        text_column="id",
    )
    assert other == ("id", "team")
    # Nor is a column told that a flag has for something else.
    taken = told("id,message,team", *ROWS, pair_column="message")
    assert taken == ("text", "label")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_a_delimiter_is_told_with_the_columns(told, mark):
    lines = [line.replace(",", mark) for line in ("id,body,team", *ROWS)]
    assert told(*lines) == ("body", "team")
    only = [line.rpartition(mark)[0] for line in lines]
    assert told(*only, set_type="test") == ("body", "label")


def test_keys_of_json_are_columns(told):
    lines = [
        f'{{"id": {n}, "review": "it is not bad {n}", "stars": {n % 3}}}'
        for n in range(6)
    ]
    assert told(*lines, name="a.jsonl") == ("review", "stars")


def test_the_only_column_of_a_test_set_is_the_text(told):
    assert told("x", "late", "lost", set_type="test") == ("x", "label")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["id,message,comment,team", *(f"{r[:-1]}x,{r}" for r in ROWS)],
            "of which message, comment may be it; .*--text_column",
        ),
        (
            ["id,message,sentiment,intent", *(f"{r},{r[-1]}" for r in ROWS)],
            "of which sentiment, intent may be it; .*--label_column",
        ),
        (
            ["message", "my box is late", "I was charged twice"],
            "a column of labels beside the texts. Received: the columns "
            "message; name the right one .*texts without labels are for --do_p",
        ),
        (
            ROWS,
            "the names of the columns. Received: 0, my box 0 is late, a, which "
            "looks like a row; give --noheader --text_column=1 "
            "--label_column=2",
        ),
    ],
)
def test_what_cannot_be_told_is_asked_for(told, lines, message):
    with pytest.raises(UserError, match=message):
        told(*lines)


def test_without_texts_the_reader_names_what_it_lacks(told):
    assert told("a,b", "1,2", "3,4") == ("text", "label")
    assert told("id,label", "1,x", "2,x", "3,y", "4,y") == ("text", "label")


def test_a_file_that_is_not_sound_is_left_to_its_reader(told, tmp_path):
    assert told('a,"b', "x") == ("text", "label")
    assert told(name="empty.jsonl") == ("text", "label")
    missing = str(tmp_path / "missing.csv")
    settings = TableSettings("csv")
    assert told_settings.told(settings, missing, "train", BOTH) is settings
