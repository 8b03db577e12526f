import pytest

from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks.classification.label_cells import label_name

PLACE = Place("a.jsonl", 7, "the line")


@pytest.mark.parametrize(
    ("value", "name"),
    [(" a b ", "a b"), (3, "3"), (True, "true"), ("", "")],
)
def test_names_are_texts(value, name):
    assert label_name(PLACE, value) == name


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, r"line 7: .*found 1\.5.*--label_type=regression"),
        (None, "line 7: .*correct the line or remove it"),
        ("a\nb", "texts of one line"),
    ],
)
def test_what_is_no_name_is_refused(value, message):
    with pytest.raises(UserError, match=message):
        label_name(PLACE, value)
