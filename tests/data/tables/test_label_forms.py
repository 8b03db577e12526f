import pytest

from bert.data.tables import label_forms


def test_whole_numbers_are_sorted_as_numbers_all_else_as_text():
    assert label_forms.in_order({"10", "9", "1.0"}) == ["1.0", "9", "10"]
    assert label_forms.in_order({"1", "+1", "01"}) == ["+1", "01", "1"]
    assert label_forms.in_order({"10", "9", "a"}) == ["10", "9", "a"]
    assert label_forms.in_order({"10", "9.5"}) == ["10", "9.5"]
    assert label_forms.in_order({"9" * 400, "1"}) == ["1", "9" * 400]
    assert label_forms.in_order([]) == []


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a", "A", "b"], [["a", "A"]]),
        (["1", "1.0", "+1", "1e0"], [["1", "1.0", "+1", "1e0"]]),
        (["a b", "a_b", "a-b", "a  b"], [["a b", "a_b", "a-b", "a  b"]]),
        (["ﬁ", "fi"], [["ﬁ", "fi"]]),
        (["true", "False"], [["False", "true"]]),
        (["true", "false"], []),
        (["TRUE", "FALSE"], []),
        (["1", "-1", "-", "_", "+", "a", "a-"], []),
    ],
)
def test_labels_that_differ_in_their_form_only(labels, expected):
    assert label_forms.alike(labels) == expected


def test_cells_that_count_their_rows():
    assert label_forms.is_count(["0", "1", "2", "3", "4"])
    assert label_forms.is_count(["7.0", "8.0", "9.0", "10.0", "11.0"])
    assert not label_forms.is_count(["0", "1", "2", "3"])
    assert not label_forms.is_count(["0", "1", "2", "3", "5"])
    assert not label_forms.is_count(["a"] * 9)
