import dataclasses
import json
import types

import pytest

from bert.errors import UserError
from bert.tasks.classification.table_files import TableProcessor
from bert.tasks.classification.table_settings import (
    TableSettings,
    given_flags,
)


def processor(path, labels=None, **settings):
    table_format = path.name.rpartition(".")[2]
    return TableProcessor(
        TableSettings(table_format, train_file=str(path), **settings), labels
    )


def examples(path, labels=None, **settings):
    return processor(path, labels, **settings).get_train_examples(None)


def written(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


def seen(found):
    return [(e.guid, e.text_a, e.text_b, e.label) for e in found]


def test_tsv_columns_are_found_by_name(tmp_path):
    path = written(
        tmp_path, "a.tsv", "label\tx\ttext", 'pos\t1\tsay "a', "neg\t2\tb"
    )
    mine = processor(path)
    assert seen(mine.get_train_examples(None)) == [
        ("train-1", 'say "a', None, "pos"),
        ("train-2", "b", None, "neg"),
    ]
    assert mine.get_labels() == ["neg", "pos"]
    assert mine.kind == "classification"


def test_columns_without_a_header_are_found_by_number(tmp_path):
    path = written(tmp_path, "a.tsv", "7\tpos\tone\ttwo")
    columns = {
        "id_column": "0",
        "label_column": "1",
        "text_column": "2",
        "pair_column": "3",
    }
    found = examples(path, header=False, **columns)
    assert seen(found) == [("7", "one", "two", "pos")]


def test_csv_fields_may_be_quoted(tmp_path):
    path = written(
        tmp_path, "a.csv", "text,label", '"one,\ntwo ""x""",1', "b,0"
    )
    assert seen(examples(path))[0] == ("train-1", 'one,\ntwo "x"', None, "1")


def test_jsonl_keys_may_stand_in_any_order(tmp_path):
    path = written(
        tmp_path,
        "a.jsonl",
        '{"label": 1, "a": "x", "other": []}',
        '{"a": "y", "label": true}',
    )
    mine = processor(path, text_column="a")
    assert [e.label for e in mine.get_train_examples(None)] == ["1", "true"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.tsv", ["text\tlabel", "x\tb; a;", "y\t", "z\ta"]),
        (
            "a.jsonl",
            [
                json.dumps({"text": "x", "label": ["b", "a"]}),
                json.dumps({"text": "y", "label": []}),
                json.dumps({"text": "z", "label": "a"}),
            ],
        ),
    ],
)
def test_a_text_may_have_several_labels_or_none(tmp_path, name, lines):
    path = written(tmp_path, name, *lines)
    mine = processor(path, label_type="multi", label_separator=";")
    assert [e.label for e in mine.get_train_examples(None)] == [
        ["b", "a"],
        [],
        ["a"],
    ]
    assert mine.get_labels() == ["a", "b"]
    assert mine.kind == "multi_label"


def test_regression_reads_numbers(tmp_path):
    path = written(tmp_path, "a.csv", "text,label", "x,1.5", "y,-2")
    mine = processor(path, label_type="regression")
    assert [e.label for e in mine.get_train_examples(None)] == [1.5, -2.0]
    assert mine.get_labels() == []
    assert mine.kind == "regression"


def test_a_test_set_needs_no_labels(tmp_path):
    written(tmp_path, "test.tsv", "text", "x")
    mine = TableProcessor(TableSettings("tsv"), ["a", "b"])
    found = mine.get_test_examples(str(tmp_path))
    assert seen(found) == [("test-1", "x", None, None)]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("test.tsv", ["text", "", "x", "", "y", "", " "]),
        ("test.csv", ["text", '""', "x", "", "y", "", " "]),
        ("test.tsv", ["text\tn", "\t", "x\t1", "", " \t ", "y\t2", ""]),
        ("test.csv", ["text,n", ",", "x,1", "", ",", "y,2", ""]),
    ],
)
def test_no_row_of_a_test_set_disappears(tmp_path, name, lines):
    path = written(tmp_path, name, *lines)
    table_format = path.suffix[1:]
    mine = TableProcessor(TableSettings(table_format, test_file=str(path)))
    texts = [e.text_a.strip() for e in mine.get_test_examples(None)]
    assert texts == ["", "x", "", "y"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.tsv", ["text\tlabel", "\t", "x\ta", "", "\t", "y\tb", " \t\t"]),
        ("a.csv", ["text,label", ",", "x,a", "", ",", "y,b", ",,"]),
    ],
)
@pytest.mark.parametrize("label_type", ["single", "multi"])
def test_empty_rows_of_a_training_set_are_left_out_with_a_warning(
    tmp_path, name, lines, label_type, caplog
):
    path = written(tmp_path, name, *lines)
    found = examples(path, label_type=label_type)
    assert [e.text_a for e in found] == ["x", "y"]
    assert "3 row(s) of empty cells are left out, the first in line 2" in (
        caplog.text
    )


@pytest.mark.parametrize(
    ("labels", "warns"),
    [
        (["3.5", "-4.25"], True),
        (["3", "3.5"], True),
        (["1", "0"], False),
        (["1.0", "0.0"], False),
        (["3.5", "good"], False),
        (["1.2.3", "1.2"], False),
    ],
)
def test_labels_that_look_like_scores_are_warned_of(
    tmp_path, labels, warns, caplog
):
    lines = [f"x\t{label}" for label in labels]
    examples(written(tmp_path, "a.tsv", "text\tlabel", *lines))
    assert ("--label_type=regression is for numbers" in caplog.text) == warns


@pytest.mark.parametrize("column", ["text_column", "pair_column"])
def test_a_text_cannot_be_its_label(column):
    with pytest.raises(
        UserError, match=f"--{column} and --label_column must differ.*'y'"
    ):
        TableSettings("tsv", label_column="y", **{column: "y"})


def test_a_column_that_is_twice_can_be_named_by_its_number(tmp_path):
    path = written(tmp_path, "a.csv", "x,x,text,label", "1,2,a,b")
    assert len(examples(path)) == 1
    assert examples(path, text_column="1")[0].text_a == "2"
    with pytest.raises(UserError, match=r"line 1: .* 'x' 2 times; rename"):
        examples(path, text_column="x")


def test_messages_are_of_bounded_length(tmp_path):
    long = "x" * 5000
    path = written(tmp_path, "a.csv", f"text,label,{long}", f"{long},{long},1")
    for settings in (
        {"text_column": long + "y"},
        {"text_column": "9" * 5000},
        {"label_type": "regression"},
        {"labels": ["y" * 5000] + [str(i) for i in range(5000)]},
    ):
        with pytest.raises(UserError, match=r"a\.csv, line") as raised:
            examples(path, **settings)
        assert len(str(raised.value)) < 600 + len(str(path))


def test_known_labels_keep_their_order(tmp_path):
    path = written(tmp_path, "a.tsv", "text\tlabel", "x\ta")
    mine = processor(path, ["b", "a"])
    mine.get_train_examples(None)
    assert mine.get_labels() == ["b", "a"]


@pytest.mark.parametrize(
    ("name", "lines", "settings", "message"),
    [
        ("a.tsv", ["text\tlabel"], {}, "no row but the header"),
        (
            "a.tsv",
            ["text\tlabel", "x"],
            {},
            "line 2: expected 2 columns.* 1. R",
        ),
        (
            "a.tsv",
            ["text\tlabel", "x\ta\tb"],
            {},
            "line 2: .*(text, label).* 3",
        ),
        ("a.tsv", ["text\tlabel", "x\t "], {}, "line 2: .*found an empty one"),
        (
            "a.tsv",
            ["a\tlabel", "x\ty"],
            {},
            "line 1: expected the column 'text'",
        ),
        ("a.tsv", ["a\tlabel", "x\ty"], {}, "Received: the columns a, label"),
        ("a.tsv", ["a\tb"], {"header": False}, "2 columns without names"),
        ("a.csv", ["text,label", '"x,1'], {}, "line 2: .*close the quotes"),
        ("a.jsonl", ['{"text": "x"}'], {}, "line 1: .*label is missing"),
        ("a.jsonl", ['{"text": 1, "label": 2}'], {}, "a text in text, found 1"),
        (
            "a.jsonl",
            ['{"text": "", "label": 0.5}'],
            {},
            "found 0.5.*--label_type=regression",
        ),
        (
            "a.tsv",
            ["text\tlabel", "x\ta", "y\tb\u2028c"],
            {},
            "line 3: expected labels that are texts of one line, found 'b",
        ),
        (
            "a.csv",
            ["text,label", "Long, but fun,1"],
            {},
            "Received: 'Long, but fun,1'; put a cell that has commas in quotes",
        ),
        ("a.jsonl", ['{"text": "", "label": null}'], {}, "found None"),
        (
            "a.jsonl",
            ['{"text": "", "label": {}}'],
            {"label_type": "multi"},
            "a list of labels",
        ),
        (
            "a.csv",
            ["text,label", "x,one"],
            {"label_type": "regression"},
            "line 2: expected a finite number as label, found 'one'",
        ),
    ],
)
def test_a_bad_row_is_named(tmp_path, name, lines, settings, message):
    path = written(tmp_path, name, *lines)
    with pytest.raises(UserError, match=message) as raised:
        examples(path, **settings)
    assert str(path) in str(raised.value)


def test_a_label_that_is_not_known_is_named(tmp_path):
    path = written(tmp_path, "a.tsv", "text\tlabel", "x\tc")
    with pytest.raises(
        UserError, match=r"line 2: .*labels a, b \(those of --x\), found 'c'"
    ):
        TableProcessor(
            TableSettings("tsv", dev_file=str(path)), ["a", "b"], "--x"
        ).get_dev_examples(None)


def test_without_a_path_the_flags_are_named():
    mine = TableProcessor(TableSettings("csv"))
    with pytest.raises(UserError, match=r"--dev_file, or --data_dir.*dev\.csv"):
        mine.get_dev_examples(None)


def test_settings_are_taken_from_a_configuration():
    given = {"text_column": "x", "labels": "a,b"}
    fields = {
        field.name: field.default
        for field in dataclasses.fields(TableSettings)
        if field.name != "format"
    }
    config = types.SimpleNamespace(**{**fields, **given})
    assert given_flags(config) == ["text_column", "labels"]
    settings = TableSettings.from_config("csv", config)
    assert settings == TableSettings("csv", text_column="x")


def test_labels_of_a_head_that_grows_stand_first(tmp_path):
    path = written(tmp_path, "a.tsv", "text\tlabel", "x\tc", "y\ta", "z\tb")
    mine = TableProcessor(
        TableSettings("tsv", train_file=str(path), dev_file=str(path)),
        first=["old", "b"],
    )
    mine.get_train_examples(None)
    assert mine.get_labels() == ["old", "b", "a", "c"]
    # The dev set may have those that the training set lacks.
    path.write_text("text\tlabel\nx\told\n")
    assert [e.label for e in mine.get_dev_examples(None)] == ["old"]


def test_columns_of_labels_may_lack_those_of_the_head(tmp_path):
    path = written(tmp_path, "a.csv", "text,b,c", "x,1,0", "y,1,1")
    settings = TableSettings(
        *("csv", str(path)), label_type="multi", label_column="b,c"
    )
    mine = TableProcessor(settings, first=["old", "b"])
    found = mine.get_train_examples(None)
    assert mine.get_labels() == ["old", "b", "c"]
    assert [e.label for e in found] == [["b"], ["b", "c"]]
    again = TableProcessor(settings, ["old", "b", "c"], first=["old", "b"])
    assert len(again.get_train_examples(None)) == 2
