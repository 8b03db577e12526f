"""Forms of tags; tests/field/test_a_conll.py has more."""

import logging

import pytest

from bert.tasks.tagging import schemes


@pytest.mark.parametrize(
    "labels",
    [
        ["O", "B-X", "L-X", "U-X"],
        ["O", "B-X", "M-X", "E-X", "S-X"],
        ["o", "b_X", "l_X", "u_X"],
        ["O", "X-B", "X-I", "X-W"],
    ],
)
def test_tags_are_read_as_iobes(labels):
    tags = [schemes.read(labels)[label] for label in labels]
    assert tags[:2] == ["O", "B-X"]
    assert all(tag in ("I-X", "E-X", "S-X") for tag in tags[2:])


def test_only_the_usual_form_is_usual():
    assert schemes.is_usual(["O", "I-X", "U-Y"])
    for labels in (["O"], ["O", "M-X"], ["o", "B-X"], ["O", "B-X", "MISC"]):
        assert not schemes.is_usual(labels)
    assert schemes.read(["B-X", "I-X"]) == {"B-X": "B-X", "I-X": "I-X"}


@pytest.mark.parametrize(
    "labels",
    [
        [],
        ["O"],
        ["O", "PER"],
        ["O", "B-X", "MISC"],
        ["DT-S", "NN-S", "O"],
        ["B", "S"],
        ["B", "O"],
        ["E", "I"],
    ],
)
def test_what_may_mean_anything_marks_no_entities(labels):
    assert schemes.read(labels) is None


def test_the_log_says_how_labels_are_read(caplog):
    caplog.set_level(logging.INFO)
    schemes.log(["O", "B-X"])
    schemes.log(["DT", "NN"])
    assert not caplog.messages
    schemes.log(["O", "X_B", "X_I"])
    assert caplog.messages[-1].endswith("B-…, I-…: 'X_B' is B-X.")
    assert caplog.records[-1].levelname == "INFO"


def test_labels_that_only_partly_mark_entities_are_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        schemes.log(["O", "B-X", "MISC"])
    assert "'MISC' is none of O, B-" in caplog.text
    with caplog.at_level(logging.WARNING):
        schemes.log(["O", "PER"])
    assert "'PER' is none of O, B-" in caplog.text
