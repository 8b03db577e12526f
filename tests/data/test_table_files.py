import dataclasses
import json
import types

import pytest

from data.table_files import TableProcessor, TableSettings, given_flags
from errors import UserError


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
        ("a.jsonl", ['{"text": "", "label": 0.5}'], {}, "found 0.5"),
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
    with pytest.raises(UserError, match=r"line 2: .*labels a, b, found 'c'"):
        examples(path, ["a", "b"])


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
