import json

import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks import report_page, reports
from bert.tasks.multiple_choice import report
from bert.tasks.multiple_choice.examples import ChoiceExample
from tests import browser

EVIL = "<script>alert(1)</script>"


def _judged(**changes):
    judged = report.Judged(
        [
            ChoiceExample("dev-1", EVIL, ("a", "b", "你好"), 0),
            ChoiceExample("dev-2", "שלום", ("a", "", "c"), 2),
            ChoiceExample("dev-3", "x" * 2000, ("a", EVIL), 1),
        ],
        np.array(
            [[0.7, 0.2, 0.1], [0.9, 0.0, 0.1], [0.4, 0.6, 0.0]], np.float32
        ),
        np.array([0, 2, 1]),
        np.array([7, 8, 90]),
    )
    return judged._replace(**changes)


def _document(judged):
    made = report.make(judged)
    extra = {"title": "t", "curves": {}, "results": {"eval_accuracy": 0.5}}
    return json.loads(json.dumps(reports.to_json({**made.figures, **extra})))


def test_figures_by_position():
    document = _document(_judged())
    assert (document["rows"], document["right"]) == (3, 2)
    assert document["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    first, _, last = document["positions"]
    assert (first["support"], first["predicted"]) == (1, 2)
    assert last["recall"] == 0.0
    assert last["precision"] is None


def test_guessing_is_among_the_choices_that_there_are():
    want = (1 / 3 + 1 / 2 + 1 / 2) / 3
    assert _document(_judged())["by_guessing"] == pytest.approx(want)


def test_worst_rows_come_first_and_long_texts_are_cut():
    worst = _document(_judged())["worst"]
    assert [row["id"] for row in worst] == ["dev-2", "dev-3", "dev-1"]
    assert worst[0]["choices"] == [
        {"text": "a", "probability": 0.9},
        {"text": "", "probability": 0.0},
        {"text": "c", "probability": 0.1},
    ]
    assert len(worst[1]["text"]) == 1000
    assert len(worst[1]["choices"]) == 2


def test_lines_of_dev_predictions_have_whole_texts():
    lines = [reports.to_json(row) for row in report.make(_judged()).rows]
    assert [row["prediction"] for row in lines] == [0, 0, 1]
    assert len(lines[2]["text"]) == 2000
    assert lines[0]["gold"] == 0


def test_the_page():
    document = _document(_judged())
    page = report_page.page(document, report.page_sections(document))
    browser.check_html(page)
    assert "<strong>2 of 3 rows right</strong>" in page
    assert "<script>" not in page
    assert (
        '<b class="muted">A</b> <bdi dir="auto">a</bdi> (90%) '
        '<strong class="bad">chosen</strong>' in page
    )


def test_of_many_choices_the_right_and_the_likeliest_are_shown():
    example = ChoiceExample("dev-1", "t", tuple(f"c{i}" for i in range(30)), 29)
    probabilities = np.linspace(0.06, 0.0, 30, dtype=np.float32)[None]
    document = _document(
        report.Judged([example], probabilities, np.array([29]), np.array([9]))
    )
    page = report_page.page(document, report.page_sections(document))
    assert [f">c{i}<" in page for i in range(30)] == (
        [True] * 5 + [False] * 24 + [True]
    )
    assert "and 24 more" in page


def test_no_report_on_outputs_that_are_not_numbers():
    with pytest.raises(UserError, match="not numbers; was it trained"):
        report.make(_judged(probabilities=np.full((3, 3), np.nan)))
