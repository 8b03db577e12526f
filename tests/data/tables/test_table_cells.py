"""Cells by their columns; run_classifier.py's files test the messages."""

import json

import pytest

from bert.data.tables import table_cells
from bert.data.tables.table_cells import Form
from bert.errors import UserError


def read(tmp_path, content, columns, **options):
    path = tmp_path / "a.tsv"
    path.write_text(content)
    given = {"is_csv": False, "header": True, "is_test": False, **options}
    found = table_cells.read(str(path), columns, **given)
    return [(place.line, cells) for place, cells in found]


def test_columns_are_found_by_name_and_number(tmp_path):
    content = "text\tlabel\nx\t1\ny\t2\n"
    expected = [(2, {"label": "1", "0": "x"}), (3, {"label": "2", "0": "y"})]
    assert read(tmp_path, content, ["label", "0"]) == expected


def test_without_a_header_the_first_row_counts(tmp_path):
    assert read(tmp_path, 'x,"1,2"\n', ["1"], is_csv=True, header=False) == [
        (1, {"1": "1,2"})
    ]


@pytest.mark.parametrize(("is_test", "lines"), [(False, [3]), (True, [2, 3])])
def test_empty_rows_count_where_results_must_be_in_step(
    tmp_path, is_test, lines
):
    found = read(tmp_path, "a\tb\n \t\nx\ty\n", ["a"], is_test=is_test)
    assert [line for line, _ in found] == lines


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("a\tb\n1\t2\n", "c", r"expected the column 'c'.*columns a, b"),
        ("a\ta\n1\t2\n", "a", "Received: 'a' 2 times; rename them"),
        ("a\tb\n1\n", "a", r"line 2: expected 2 columns \(a, b\).*are 1"),
    ],
)
def test_bad_columns_are_named(tmp_path, content, column, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, content, [column])


def test_a_table_knows_its_form(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a;b\n"x;y";2\n')
    table = table_cells.open_table(
        *(str(path), [["c"], ["b", "0"]], Form(is_csv=True)), is_test=True
    )
    assert (table.first, table.rows) == (["a", "b"], [["x;y", "2"]])
    assert table.columns == {"b": 1, "0": 0}
    assert table.form == Form(is_csv=True, delimiter=";")
    assert table.form.line(["x;y", 'a"']) == '"x;y";"a"""'
    assert Form(is_csv=False).line(["x\ty", 'a"']) == 'x y\ta"'


def test_the_usual_delimiter_comes_first(tmp_path):
    (tmp_path / "a.csv").write_text("a;b,c\n1;2,3\n")
    for usual, names in (("", ["a;b", "c"]), (";", ["a", "b,c"])):
        table = table_cells.open_table(
            *(str(tmp_path / "a.csv"), [["0"]], Form(True, usual=usual)),
            is_test=True,
        )
        assert table.first == names


def test_jsonl_values_keep_their_types(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"a": [1], "b": None, "c": "x"}) + "\n")
    ((place, values),) = table_cells.read_json(str(path), ["b", "a"])
    assert (place.line, values) == (1, {"b": None, "a": [1]})
    with pytest.raises(UserError, match="the keys a, d; d is missing"):
        list(table_cells.read_json(str(path), ["a", "d"]))


def test_a_header_is_read_with_each_delimiter_that_it_may_have():
    form = table_cells.Form(is_csv=True)
    found = dict(table_cells.headers("a;b,c\nx;y,z\n", "f.csv", form))
    assert list(found) == [",", ";", "\t", "|"]
    assert (found[","], found[";"]) == (["a;b", "c"], ["a", "b,c"])
    # One that is told is the only one; unsound rows are left out.
    told = form._replace(delimiter=";")
    assert list(dict(table_cells.headers("a;b\n", "f.csv", told))) == [";"]
    found = dict(table_cells.headers('a,"b\n', "f.csv", form))
    assert "," not in found
