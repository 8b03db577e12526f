import pytest

from bert.pages import frame, marks
from bert.pages.marks import Marked, Span
from tests import browser

TEXT = "Peter <b> visits New York with 李四 today"


def _marked():
    return Marked(
        TEXT,
        [Span(0, 5, "PER"), Span(17, 25, "LOC"), Span(31, 33, "PER")],
        [Span(0, 5, "PER"), Span(17, 20, "ORG")],
    )


def test_marks_stand_in_a_page():
    page = frame.page("Marks", [marks.LEGEND, marks.html(_marked())])
    browser.check_html(page)


def test_equal_places_have_one_label():
    shown = marks.html(_marked())
    assert (
        '<mark class="gold predicted">Peter</mark>'
        '<small class="muted">PER</small> &lt;b&gt; visits ' in shown
    )


def test_places_that_overlap():
    shown = marks.html(_marked())
    assert (
        '<mark class="gold predicted">New</mark><small class="bad">ORG</small>'
        '<mark class="gold"> York</mark><small class="good">LOC</small> with '
        in shown
    )


def test_a_text_without_marks():
    assert marks.html(Marked("", [], [])) == '<bdi dir="auto"></bdi>'
    assert marks.html(Marked("a", [], [])) == '<bdi dir="auto">a</bdi>'


def test_an_excerpt_has_what_is_near():
    text = " ".join(f"w{i:03}" for i in range(300))
    gold, far = Span(500, 504, "A"), Span(1000, 1004, "B")
    found = marks.excerpt(Marked(text, [gold, far], []), [gold], 20)
    assert found.text == "… w096 w097 w098 w099 w100 w101 w102 w103 w104 …"
    (span,) = found.gold
    assert found.text[span.start : span.end] == "w100"
    both = marks.excerpt(Marked(text, [gold], [far]), [gold, far], 20)
    assert both.text.count("…") == 3
    (span,) = both.predicted
    assert both.text[span.start : span.end] == "w200"


@pytest.mark.parametrize("places", [[Span(0, 5)], [Span(35, 40)], []])
def test_an_excerpt_of_a_short_text_is_all_of_it(places):
    assert marks.excerpt(_marked(), places, 100) == _marked()


def test_an_excerpt_has_both_ends_of_a_long_place():
    place = Span(100, 900, "A")
    found = marks.excerpt(Marked("a" * 1000, [place], []), [place], 20)
    assert len(found.text) < 100
    assert found.text.count("…") == 3
    assert [span.end - span.start for span in found.gold] == [20, 20]


def test_an_excerpt_of_nothing_is_the_beginning():
    found = marks.excerpt(Marked("a" * 1000, [], []), [], 20)
    assert found.text == "a" * 20 + " …"
