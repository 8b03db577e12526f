"""The page of runs side by side."""

import math

import pytest

from bert.pages import runs
from tests import browser

HOSTILE = "<img onerror=alert(1)>&\"'"


def rows(number):
    """Returns runs as a sweep leaves them."""
    return [
        runs.Row(
            f"/tmp/sweep/learning_rate={i % 3 + 1}e-5_random_seed={i}",
            "finished, 61 s, 731 MiB",
            {"learning_rate": f"{i % 3 + 1}e-05", "labels": "שלום, 中文"},
            {"eval_accuracy": f"{0.8 + i / 100:.5g}", "loss": "0.4"},
            {
                tag: (
                    list(range(100, 2100, 100)),
                    [math.exp(-s / (9 + i)) + i / 50 for s in range(20)],
                )
                for tag in ("loss", "learning_rate", "eval/eval_accuracy")
            },
        )
        for i in range(number)
    ]


@pytest.mark.parametrize("number", [1, 30])
def test_it_is_html_with_a_row_for_each_run(number):
    page = runs.page(rows(number), "A sweep")
    browser.check_html(page)
    assert page.count("random_seed=") == number
    assert page.count("<svg") == 3
    assert len(page) < 2_000_000


def test_runs_without_curves_have_no_pictures():
    row = rows(1)[0]._replace(curves={"loss": ([7], [0.5])})
    page = runs.page([row])
    browser.check_html(page)
    assert "<svg" not in page


def test_what_stands_in_runs_does_nothing():
    curves = {HOSTILE: ([1, 2], [0.5, 0.4])}
    row = runs.Row(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: "1"}, curves)
    page = runs.page([row, row], HOSTILE)
    browser.check_html(page)
    assert "<img" not in page


def test_what_unigrams_reach_is_a_line_across_the_loss():
    tags = ("masked_lm_loss", "eval/masked_lm_loss", "eval/perplexity", "loss")
    curves = {tag: ([1, 2], [9.0, 8.0]) for tag in tags}
    one, other = (
        rows(1)[0]._replace(
            curves={**curves, "eval/unigram_entropy": ([1, 2], [level] * 2)}
        )
        for level in (6.7, 6.5)
    )
    page = runs.page([one, other])
    browser.check_html(page)
    # No picture of its own, and a name in those of the loss alone.
    assert page.count("<svg") == len(tags)
    assert page.count(">unigram_entropy</text>") == 2
    dashes = page.count("stroke-dasharray: 6,3.6")
    # In each picture a line for each level, and one in the legend.
    assert dashes == 2 * (2 + 1), dashes
    assert runs.page([one, one]).count("stroke-dasharray: 6,3.6") == 2 * 2


def test_a_long_curve_is_drawn_with_few_points():
    steps = list(range(100_000))
    curves = {"loss": (steps, [1.0 / (s + 1) for s in steps])}
    page = runs.page([rows(1)[0]._replace(curves=curves)])
    assert len(page) < 100_000


@pytest.mark.slow
@browser.needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off(tmp_path, width):
    path = tmp_path / "runs.html"
    path.write_text(runs.page(rows(30)))
    with browser.chromium(width) as driver:
        driver.get(path.as_uri())
        assert not browser.is_cut_off(driver)
