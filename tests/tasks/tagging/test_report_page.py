import json

import numpy as np
import pytest

from bert.data.tables.conll import Sentence
from bert.tasks import report_page as frame_of_reports
from bert.tasks import reports
from bert.tasks.tagging import judged, metrics, report, report_page
from tests import browser

EVIL = "<script>alert(1)</script>"


def _document(words, gold, predicted, labels):
    number = len(words)
    answers = metrics.Answers(
        np.zeros(number, int),
        np.full(number, 0.5, np.float32),
        np.ones(number, np.float32),
        np.array([number]),
    )
    rows = judged.judge(
        [Sentence(words, gold, 1)], [predicted], answers, labels
    )
    found = report.make(rows, labels)
    extra = {"title": "t", "curves": {}, "results": {"f1": 0.5}}
    return json.loads(json.dumps(reports.to_json({**found.figures, **extra})))


def _page(document):
    page = frame_of_reports.page(document, report_page.sections(document))
    browser.check_html(page)
    return page


def test_entities():
    document = _document(
        [EVIL, "你", "שלום", "d"],
        ["B-A", "O", "B-<i>", "I-<i>"],
        ["B-A", "B-A", "B-<i>", "O"],
        ["O", "B-A", "B-<i>", "I-<i>"],
    )
    page = _page(document)
    assert "<strong>1 of 2 entities found</strong> (50%)" in page
    assert "1 sentence, 4 words." in page
    assert "<script>" not in page
    assert "<i>" not in page
    assert (
        "Invented: there is none, and one was found</bdi></td>"
        '<td class="number">1</td><td class="number">–</td>'
    ) in page
    assert (
        '<mark class="predicted">你</mark><small class="bad">A</small>' in page
    )


def test_labels():
    document = _document(
        ["a", "b"], ["N", EVIL], ["N", "N"], ["N", EVIL, "unused"]
    )
    page = _page(document)
    assert "<strong>1 of 2 words right</strong> (50%)" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; → N" in page


@pytest.mark.parametrize("labels", [["O", "B-A"], ["N", "V"]])
def test_nothing_wrong(labels):
    own = [labels[0]] * 3
    page = _page(_document(["a", "b", "c"], own, own, labels))
    assert "Nothing is wrong." in page
    assert "worst" not in page


def test_sixty_labels():
    labels = [f"label {number}" for number in range(60)]
    document = _document(labels, labels, labels[::-1], labels)
    assert 'aria-label="Confusion matrix"' in _page(document)


@pytest.mark.slow
@browser.needs_chromium
def test_nothing_is_cut_off(tmp_path):
    name = "long_type" * 20
    words = ["x" * 500, "שלום", "你", EVIL]
    document = _document(
        words,
        [f"B-{name}", "O", "B-A", "O"],
        ["O", f"B-{name}", "B-A", "B-A"],
        ["O", f"B-{name}", "B-A"],
    )
    file = tmp_path / "page.html"
    file.write_text(_page(document))
    with browser.chromium(400) as driver:
        driver.get(file.as_uri())
        assert not browser.is_cut_off(driver)
