import re

import numpy as np
import pytest

from bert.tasks import report_page
from tests import browser
from tests.tasks.classification.judged import document

AB = ["a", "b"]


def page(kind, *args, **more):
    made, found = document(kind, *args, **more)
    found["results"] = {"eval_loss": None}
    html = report_page.page(found, made.sections(found))
    browser.check_html(html)
    return html


def text_of(html):
    html = re.sub(r"</(p|li|blockquote|h\d|t[dh])>", " ", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_the_page_begins_with_what_is_right_and_what_guessing_gives():
    html = page("classification", [[0, 1], [1, 0], [0, 1]], [1, 1, 0], AB)
    shown = text_of(html[html.index("<h1>") :])
    assert shown.startswith(
        "Evaluation: x 1 of 3 rows right (33%; 95% interval 6% to 79%). "
        "Always answering b would give 2. Where it fails"
    )
    assert "is b (27%), was taken for a (73%) row 2" in shown


@pytest.mark.parametrize(
    ("logits", "gold", "texts"),
    [
        ([[0, 1]], [1], ["one row"]),
        ([[0, 1], [1, 0]], [1, 1], ["one class", "only"]),
        ([[0, 1], [9, 0]], [1, 0], ["", "an empty text, and all right"]),
        ([[0, 1], [9, 0]], [0, 1], ["all", "wrong"]),
        ([[0, 0], [0, 0]], [0, 1], ["the same", "answer"]),
    ],
)
def test_odd_sets_of_one_label_have_a_page(logits, gold, texts):
    html = page("classification", logits, gold, AB, texts=texts)
    assert "nan" not in text_of(html)
    if gold == list(np.argmax(logits, axis=1)):
        assert "No label was taken for another." in html
        assert "and so was the answer" in html
    if "" in texts:
        assert "(empty)" in html


@pytest.mark.parametrize(
    ("logits", "gold"),
    [
        ([[1.0, -1.0]], [[1, 0]]),
        ([[-1.0], [-1.0]], [[0], [0]]),  # one label, which nobody has
        ([[1.0, 1.0], [-1.0, -1.0]], [[0, 0], [1, 1]]),
    ],
)
def test_odd_sets_of_several_labels_have_a_page(logits, gold):
    html = page("multi_label", logits, gold, AB[: len(gold[0])])
    assert "nan" not in text_of(html)
    right = (np.array(logits) >= 0) == np.array(gold)
    assert ("Every label of every row is right" in html) == right.all()
    assert ("missed" in html) == (not right.all())


@pytest.mark.parametrize(
    ("values", "gold"),
    [([[1.5]], [1.5]), ([[2.0], [2.0]], [1.0, 1.0]), ([[-1e30]], [1e30])],
)
def test_odd_sets_of_numbers_have_a_page(values, gold):
    html = page("regression", values, np.float32(gold))
    assert "nan" not in text_of(html)
    assert "off by" in html


def test_texts_and_labels_are_only_text():
    bad = "<script>alert(1)</script>"
    right_to_left = "שלום"
    html = page(
        "classification",
        [[0, 1], [1, 0]],
        [0, 0],
        [bad, f"&{right_to_left}"],
        texts=[bad, "\x00\ud800"],
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 3
    assert f'<bdi dir="auto">&amp;{right_to_left}</bdi>' in html


def test_a_better_threshold_is_named():
    logits, gold = [[2, 1], [2, 1]], [[1, 0], [1, 0]]
    html = page("multi_label", np.float32(logits), gold, AB)
    assert "From 0.74 on it would be 1.000 for these rows" in html
    html = page("multi_label", np.float32([[2, -1]]), [[1, 0]], AB)
    assert "No other threshold is better" in html


@browser.needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off(tmp_path, width):
    labels = ["x" * 100, "a b " * 25, "قضية", *map(str, range(57))]
    random = np.random.default_rng(1)
    shape = (200, 60)
    gold = random.integers(0, 60, 200)
    texts = ["word " * 300, "x" * 900, *["قضية 你好 "] * 198]
    cases = [
        ("classification", random.normal(size=shape), gold, labels),
        ("classification", random.normal(size=(200, 2)), gold % 2, labels[:2]),
        ("multi_label", random.normal(size=shape), np.eye(60)[gold], labels),
        ("regression", random.normal(size=(200, 1)), gold, []),
    ]
    with browser.chromium(width) as driver:
        for kind, logits, ids, names in cases:
            path = tmp_path / "page.html"
            path.write_text(page(kind, logits, ids, names, texts=texts))
            driver.get(path.as_uri())
            assert not browser.is_cut_off(driver)
