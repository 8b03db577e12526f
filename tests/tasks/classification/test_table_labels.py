import logging

import pytest

from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks.classification import kinds, table_labels
from bert.tasks.classification.table_labels import RowLabels

PLACE = Place("f", 2, "a line")
SINGLE, MULTI, NUMBER = map(
    kinds.BY_LABEL_TYPE.get, ("single", "multi", "regression")
)


def test_a_column_holds_labels():
    assert (
        RowLabels(SINGLE, {"x": "x"}, ",", ()).read(PLACE, {"x": " a"}) == "a"
    )
    cells = {"x": "a;b"}
    assert RowLabels(MULTI, {"x": ""}, ";", ()).read(PLACE, cells) == ["a", "b"]
    assert RowLabels(NUMBER, {"x": ""}, ",", ()).read(PLACE, {"x": "2"}) == 2


def test_several_columns_say_0_or_1_each():
    labels = RowLabels(MULTI, {"x": "one", "y": "two"}, ",", ())
    assert labels.read(PLACE, {"x": "1", "y": "0", "z": "?"}) == ["one"]
    with pytest.raises(UserError, match=r"line 2: .*column 'y', found '2'"):
        labels.read(PLACE, {"x": "1", "y": "2"})
    with pytest.raises(UserError, match="must name one column"):
        RowLabels(SINGLE, {"x": "one", "y": "two"}, ",", ())


def test_rows_that_are_left_out_are_counted(caplog):
    caplog.set_level(logging.INFO)
    labels = RowLabels(MULTI, {"x": "x"}, ",", {"-", "null"})
    found = [labels.read(PLACE, {"x": x}) for x in ("-", "a,-", None, "b", "")]
    assert found == [None, None, None, ["b"], []]
    labels.log_skipped("f")
    assert caplog.messages[-1].startswith("f: 3 row(s) are left out")


def test_labels_to_leave_out_are_named_with_commas_or_alone():
    assert table_labels.skipped_labels(None) == set()
    assert table_labels.skipped_labels("") == {""}
    assert table_labels.skipped_labels("a, b") == {"a", "b", "a, b"}
