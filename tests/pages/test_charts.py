from bert.pages import charts, frame
from tests import browser


def _chart(title="Loss & <more>"):
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        axes.plot([1, 2], [3, 4], label="a $x$ <b> 你 שלום")
        axes.legend()
    return charts.svg(figure, title)


def test_charts_stand_in_a_page():
    page = frame.page("Charts", [_chart("one"), _chart("two")])
    browser.check_html(page)
    assert "a $x$ &lt;b&gt; 你 שלום" in page
    assert 'aria-label="one"' in page


def test_charts_take_the_colours_of_the_page():
    chart = _chart()
    assert "var(--ink)" in chart
    assert "var(--line)" in chart
    assert charts.INK not in chart
    assert frame.COLOURS[0] in chart


def test_equal_charts_are_equal_text():
    assert _chart() == _chart()
    assert _chart("another") != _chart()


def test_a_logarithmic_axis_has_plain_numbers():
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        axes.plot([1, 2], [30, 4000])
        charts.make_logarithmic(axes)
    chart = charts.svg(figure, "Perplexity")
    assert ">100</text>" in chart
    assert ">1000</text>" in chart
    assert "mathdefault" not in chart
