import json

import pytest

from bert.tasks import report_page as frame_of_reports
from bert.tasks import reports
from bert.tasks.squad import judged, report, report_page
from bert.tasks.squad.answers import Answer, NbestEntry
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.judged import Settings
from tests import browser

CONTEXT = "<script>alert(1)</script> שלום 东京 Rome"


def _asked(question, gold, text, null_odds=None):
    example = SquadExample(
        *("<id>", question, []),
        answers=gold,
        answer_ranges=(None,) * len(gold),
        context=CONTEXT,
    )
    nbest = [NbestEntry(text, 0.5, 0.0, 0.0), NbestEntry("", 0.5, 0.0, 0.0)]
    return example, Answer(nbest, text, null_odds)


def _page(found, settings):
    made = report.make(judged.judge(found, {0: 300}, settings), settings)
    extra = {"title": "t", "curves": {}, "results": {"f1": 0.5}}
    document = json.loads(
        json.dumps(reports.to_json({**made.figures, **extra}))
    )
    page = frame_of_reports.page(document, report_page.sections(document))
    browser.check_html(page)
    return page


def test_version_1():
    page = _page(
        [
            _asked("Where <b>?", ("Rome",), "东京"),
            _asked("What?", ("Rome",), "Rome"),
        ],
        Settings(0.0, "words", version_2=False),
    )
    assert "<strong>1 of 2 questions answered exactly</strong> (50%)" in page
    assert "By question word" in page
    assert '<mark class="predicted">东京</mark> <mark class="gold">Rome' in page
    assert '<strong><bdi dir="auto">Where &lt;b&gt;?</bdi></strong>' in page
    assert "1 of 1: those first that have nothing right" in page
    assert "<script>" not in page
    assert "When to answer" not in page


def test_questions_without_question_words_have_no_table_of_them():
    page = _page(
        [_asked("东京?", ("Rome",), "Rome")],
        Settings(0.0, "words", version_2=False),
    )
    assert "By question word" not in page
    assert "Wrong answers" not in page


@pytest.mark.parametrize("null_odds", [1.0, 1e6])
def test_version_2(null_odds):
    page = _page(
        [
            _asked("Where?", ("Rome",), "Rome", null_odds),
            _asked("Where?", (), "Rome", null_odds),
        ],
        Settings(2e6, "words", version_2=True),
    )
    assert "With and without an answer" in page
    assert 'aria-label="Figures by threshold"' in page
    assert "Right is no answer, predicted <b>" in page
