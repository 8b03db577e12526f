import json

import pytest

from bert.errors import UserError
from bert.tasks.multiple_choice import examples
from bert.tasks.multiple_choice.examples import Columns

OWN = Columns("text", ("a", "b", "c"), "label")


def read(path, text, file_format, set_type="train", columns=OWN):
    path.write_text(text)
    return examples.read(str(path), file_format, set_type, columns)


def test_swag_goes_on_with_each_ending(tmp_path):
    head = "n,sent1,sent2,ending0,ending1,ending2,ending3,label\n"
    row = '1,"She, too, sat.",She,eats.,runs.,is.,has.,2\n'
    (found,) = read(tmp_path / "f", head + row, "swag")
    assert found == (
        "train-1",
        "She, too, sat.",
        ("She eats.", "She runs.", "She is.", "She has."),
        2,
    )
    head, row = head.replace(",label", ""), row.replace(",2\n", "\n")
    (found,) = read(tmp_path / "f", head + row, "swag", "test")
    assert (found.guid, found.label) == ("test-1", None)


def test_race_fills_the_blank_or_answers_the_question(tmp_path):
    line = {
        "article": "It rained.",
        "questions": ["It _ .", "Was it wet?"],
        "options": [["rained", "snowed"], ["Yes", "No", "Maybe"]],
        "answers": ["A", "B"],
        "id": "x",
    }
    text = json.dumps(line) + "\n"
    first, second = read(tmp_path / "f", text, "race")
    assert first.choices == ("It rained .", "It snowed .")
    assert second.choices == tuple(
        f"Was it wet? {each}" for each in ("Yes", "No", "Maybe")
    )
    assert [each.label for each in (first, second)] == [0, 1]
    assert {first.text, second.text} == {"It rained."}
    del line["answers"]
    text = json.dumps(line)
    assert read(tmp_path / "f", text, "race", "test")[1].label is None


@pytest.mark.parametrize("label", ["1", "b", "B", " B "])
def test_a_label_is_a_number_or_a_letter(tmp_path, label):
    text = f"text,a,b,c,label\nt,x,y,z,{label}\n"
    assert read(tmp_path / "f", text, "csv")[0].label == 1


def test_rows_may_have_fewer_choices_than_others(tmp_path):
    text = "text\ta\tb\tc\tlabel\nt\tx\ty\tz\t2\nt\tx\ty\t \tA\nt\t\ty\tz\t1\n"
    found = read(tmp_path / "f", text, "tsv")
    assert [each.choices for each in found] == [
        ("x", "y", "z"),
        ("x", "y"),
        ("", "y", "z"),
    ]


def test_a_list_in_jsonl_holds_the_choices(tmp_path):
    line = json.dumps({"q": "t", "c": ["x", "y", None], "l": 1})
    columns = Columns("q", ("c",), "l")
    (found,) = read(tmp_path / "f", line, "jsonl", columns=columns)
    assert found == ("train-1", "t", ("x", "y"), 1)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("t,x,y,z,3", "the number of a choice, from 0 to 2, or its letter"),
        ("t,x,y,z,", "the number of a choice"),
        ("t,x,y,,2", "from 0 to 1"),
        ("t,,y,z,0", "the number of a choice"),
        ("t,x,y,z,-1", "the number of a choice"),
        ("t,x,y,z,1.0", "found '1.0'"),
        ("t,x,y,z,٢", "the number of a choice"),
        ("t,x,,,0", "at least 2 choices, found 1"),
        ("t,x,y,0", "5 columns"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(tmp_path, row, expected):
    with pytest.raises(UserError, match="line 2: expected ") as caught:
        read(tmp_path / "f", f"text,a,b,c,label\n{row}\n", "csv")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"article": 1}, "a text in article, found 1"),
        ({"questions": "q"}, "a list in questions"),
        ({"answers": None}, "a list in answers, found None"),
        ({"options": [["a", "b"]] * 2}, "found 1, 2 and 1"),
        ({"options": [["a", 2]]}, "choices that are texts"),
        ({"options": [3]}, "choices that are texts, found 3"),
        ({"questions": [None]}, "questions that are texts, found None"),
        ({"answers": ["C"]}, "its letter, found 'C'"),
        ({"answers": [True]}, "its letter, found True"),
    ],
)
def test_a_line_of_race_that_cannot_be_meant_is_named(
    tmp_path, change, expected
):
    line = {
        "article": "t",
        "questions": ["q"],
        "options": [["a", "b"]],
        "answers": ["A"],
    }
    with pytest.raises(UserError, match="line 1: expected ") as caught:
        read(tmp_path / "f", json.dumps({**line, **change}), "race")
    assert expected in str(caught.value)


@pytest.mark.parametrize("names", [("a", "b", "4"), ("a", "1", "b")])
def test_a_column_cannot_be_two(tmp_path, names):
    columns = Columns("text", names, "label")
    text = "text,a,b,c,label\nt,x,y,z,1\n"
    with pytest.raises(UserError, match="of which two are one"):
        read(tmp_path / "f", text, "csv", columns=columns)


def test_one_key_must_hold_a_list(tmp_path):
    line = json.dumps({"text": "t", "c": "xy", "label": 0})
    columns = Columns("text", ("c",), "label")
    with pytest.raises(UserError, match="choices that are texts, found 'xy'"):
        read(tmp_path / "f", line, "jsonl", columns=columns)


def test_a_file_of_a_header_has_no_examples(tmp_path):
    with pytest.raises(UserError, match="expected examples"):
        read(tmp_path / "f", "text,a,b,c,label\n", "csv")
