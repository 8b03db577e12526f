import re

from bert.tasks import report_page
from tests import browser


def _page(curves, **results):
    document = {"title": "a <run>", "curves": curves, "results": results}
    page = report_page.page(document, ["<p>first</p>"])
    browser.check_html(page)
    return page


def _curve(*values):
    return {"steps": [*range(len(values))], "values": values}


def _legends(page):
    return re.findall(r">([\w/]+)</text>", page)


def test_a_page_ends_with_training_and_results():
    page = _page({"loss": _curve(2.0, None)}, f1=None, global_step=7, x=1e-9)
    assert "<h1>Evaluation: a &lt;run&gt;</h1>\n<p>first</p>" in page
    assert page.index("<h2>Training") < page.index("<h2>eval_results.txt")
    assert '<td>f1</td><td class="number">–</td>' in page
    assert '<td class="number">7</td>' in page
    assert '<td class="number">1e-09</td>' in page


def test_losses_rate_and_figures_are_charts_of_their_own():
    tags = ("eval/eval_loss", "eval/f1", "eval/loss", "learning_rate", "loss")
    page = _page(dict.fromkeys([*tags, "examples/sec"], _curve(2.0, 1.0)))
    assert page.count("<svg") == 3
    shown = [text for text in _legends(page) if text in {*tags}]
    assert shown == ["loss", "eval/eval_loss", "eval/f1", "learning_rate"]
    assert "examples/sec" not in page


def test_unigrams_are_a_line_in_the_losses_and_perplexity_is_apart():
    tags = ("masked_lm_loss", "masked_lm_accuracy", "perplexity")
    evaluated = [*(f"eval/{tag}" for tag in tags), "eval/unigram_entropy"]
    curves = dict.fromkeys(["loss", *tags, *evaluated], _curve(2.0, 1.0))
    page = _page(curves)
    assert page.count("<svg") == 3
    names = [
        *("loss", "masked_lm_loss", "eval/masked_lm_loss", "unigram_entropy"),
        *("perplexity", "eval/perplexity", "eval/masked_lm_accuracy"),
    ]
    assert [text for text in _legends(page) if text in names] == names
    del curves["eval/unigram_entropy"]
    assert "unigram_entropy" not in _page(curves)


def test_without_training_there_are_no_curves():
    assert "Training" not in _page({"eval/eval_loss": _curve(2.0, 1.0)})
    assert "Training" not in _page({})


def test_a_single_point_is_no_curve():
    assert "Training" not in _page({"loss": _curve(2.0)})
    page = _page({"loss": _curve(2.0), "eval/eval_loss": _curve(2.0, 1.0)})
    assert page.count("<svg") == 1


def test_a_long_curve_stays_small_and_has_its_end():
    points = [*range(100_000)]
    page = _page({"loss": {"steps": points, "values": points}})
    assert len(page) < 100_000
    assert report_page._thinned(points)[-1] == points[-1]


def test_shares_have_a_digit_more_near_their_ends():
    shares = (None, 0.0, 0.0034, 0.056, 0.994, 1.0)
    assert [report_page.percent(share) for share in shares] == [
        *("–", "0%", "0.3%", "6%", "99.4%", "100%")
    ]


def test_many_names_of_curves_stand_above_the_chart():
    def height(number):
        tags = [f"{letter}_loss" for letter in "abcdef"[: number - 1]]
        page = _page(dict.fromkeys(["loss", *tags], _curve(2.0, 1.0)))
        name = page.rindex(">loss</text>")
        place = page[page.rindex("<text", 0, name) : name]
        return float(
            re.search(r'(?: y="|translate\([\d.]+ )([\d.]+)', place)[1]
        )

    assert height(6) < height(3)
