import numpy as np

from bert.evaluation import bins, calibration, classes
from bert.pages import frame
from bert.tasks import report_sections as sections
from tests import browser

LABELS = ["<b>", "a" * 70]
GOLD, PREDICTED = np.array([0, 0, 1]), np.array([0, 1, 1])
FIGURES = classes.per_class(
    GOLD[:, None] == [0, 1], PREDICTED[:, None] == [0, 1]
)


def _valid(*parts):
    browser.check_html(frame.page("x", parts))
    return "".join(parts)


def test_what_is_right_is_said_in_words():
    facts = {"right": 1, "rows": 1, "interval": (0.2, 1.0)}
    shown = _valid(sections.lead(sections.share_right(facts), "", "<b>x</b>"))
    assert "<strong>1 of 1 row right</strong>" in shown
    assert "95% interval 20% to 100%" in shown
    many = sections.share_right({**facts, "rows": 2000}, "in all")
    assert "1 of 2,000 rows right in all<" in many


def test_each_label_has_its_number_and_figures():
    shown = _valid(sections.classes(LABELS, FIGURES))
    assert '<span class="muted">2</span> <bdi dir="auto">aaaa' in shown
    assert LABELS[1] in shown
    assert "&lt;b&gt;" in shown
    assert '<td class="number">0.667</td>' in shown


def test_the_weakest_labels_are_named():
    assert sections.weakest(LABELS, FIGURES).count("0.667") == 2
    sure = [{"f1": 1.0}, {"f1": None}]
    assert sections.weakest(LABELS, sure) == ""


def test_few_classes_have_a_table_and_many_a_picture():
    matrix = classes.confusion(GOLD, PREDICTED, 2).tolist()
    table = _valid(sections.confusion(LABELS, matrix))
    assert 'class="cell wrong" style="--share:0.50">1<' in table
    assert 'class="cell right" style="--share:1.00">1<' in table
    many = np.eye(60, dtype=int)
    many[3] = 0
    picture = _valid(sections.confusion(["x"] * 60, many.tolist()))
    assert "data:image/png" in picture
    assert len(picture) < 20_000


def test_pairs_are_shown_with_their_share():
    pairs = classes.confused(classes.confusion(GOLD, PREDICTED, 2))
    shown = _valid(sections.confused(LABELS, pairs))
    assert "50%" in shown
    assert f"{'a' * 59}…" in shown
    assert "No label was taken" in sections.confused(LABELS, [])


def test_calibration_is_judged_in_words():
    def words(*probabilities):
        facts = calibration.calibration(
            np.array(probabilities), np.array([True, False])
        )
        return _valid(sections.calibration(facts))

    assert "too sure" in words(0.9, 0.9)
    assert "not sure enough" in words(0.2, 0.2)
    assert "as sure as it may be" in words(0.5, 0.5)


def test_bins_are_a_table():
    right = np.array([1, 0, 1])
    found = bins.by_quantile(np.array([3, 3, 9]), {"right": right}, num_bins=1)
    shown = _valid(sections.by_length(found, {"right": "right"}, shares=True))
    assert ">3 to 9</td>" in shown
    assert "67%" in shown
    assert ">3</td>" in sections.binned(
        [{"from": 3, "to": 3, "rows": 1, "x": 0.12345}], "k", {"x": "y"}
    )


def test_an_example_has_its_texts_and_what_is_said_of_it():
    item = sections.example(["שלום <i>", ""], 7, ["is <b>x</b>"])
    shown = _valid(sections.examples([item]))
    assert '<bdi dir="auto">שלום &lt;i&gt;</bdi>' in shown
    assert "(empty)" in shown
    assert "<p>is <b>x</b></p>" in shown
