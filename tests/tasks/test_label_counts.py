import logging

import pytest

from bert.tasks import label_counts


@pytest.fixture(autouse=True)
def _all_levels(caplog):
    caplog.set_level(logging.INFO)


def test_labels_are_logged_in_their_order_with_their_counts(caplog):
    label_counts.log(["b", "a, c", "d"], [["b"], ["b", "a, c"], []])
    assert caplog.messages == ["Labels: b (2), 'a, c' (1), d (0)"]


def test_of_many_labels_fifty_are_named(caplog):
    names = [f"n{number}" for number in range(51)]
    label_counts.log(names, [names])
    assert "n49 (1), … (51 in all)" in caplog.text
    assert "n50" not in caplog.text


def test_numbers_are_logged_with_their_range(caplog):
    label_counts.log_numbers([0.5, 4, 3])
    assert caplog.messages == [
        "Labels: 3 numbers from 0.5 to 4, 2.5 on average"
    ]


def test_forms_are_warned_of(caplog):
    label_counts.warn_of_forms("f", ["a", "b", " A"])
    (message,) = caplog.messages
    assert message.startswith("f: the labels 'a', ' A' differ in their form")


def test_cells_are_warned_of(caplog):
    label_counts.warn_of_cells("f", {"-": 2, "a": 9})
    label_counts.warn_of_cells("f", {"-": 2, "+": 9})
    label_counts.warn_of_cells("f", {"[1]": 6, "[2]": 5})
    first, second = caplog.messages
    assert "'-' is taken for a label of its own, as on 2 row(s)" in first
    assert "'[1]' is taken for one label" in second


def test_nearly_as_many_labels_as_examples_are_warned_of(caplog):
    label_counts.warn_of_number("f", 5, 10)
    label_counts.warn_of_number("f", 9, 9)
    label_counts.warn_of_number("f", 6, 11)
    (message,) = caplog.messages
    assert "f: 11 labels have 6 different values" in message
