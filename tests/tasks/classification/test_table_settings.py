import pytest

from bert.errors import UserError
from bert.tasks.classification.table_settings import TableSettings


def test_the_dev_file_has_columns_of_its_own():
    settings = TableSettings(
        *("csv",), label_column="y", dev_text_column="s", dev_label_column="g"
    )
    assert settings.columns("train") == ("text", None, "y", None)
    assert settings.columns("dev") == ("s", None, "g", None)
    assert settings.columns("test") == ("text", None, "y", None)
    with pytest.raises(UserError, match=r"must differ. Received: 'text'"):
        TableSettings("csv", dev_label_column="text")


def test_a_label_column_may_be_one_or_several():
    columns = TableSettings("csv", label_column="a, b").columns("train")
    assert columns.label_choices == [["a, b"], ["a", "b"]]
    for one in ("a", "a,", ","):
        columns = TableSettings("csv", label_column=one).columns("train")
        assert columns.label_choices == [[one]]


def test_a_table_has_a_form():
    settings = TableSettings("csv", delimiter="TAB", header=False)
    assert settings.form == (True, False, "\t", "")
    with pytest.raises(UserError, match="--delimiter is for tsv and csv"):
        TableSettings("jsonl", delimiter=",")
