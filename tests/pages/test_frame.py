import pytest

from bert.pages import frame
from tests import browser

PARTS = [
    frame.section(
        "Rows <1>",
        frame.table(
            ["text", "share"],
            [[frame.text("<script>alert(1)</script>"), "0.5"]],
            numbers=["share"],
        ),
        frame.figure("<svg></svg>", "a & b"),
    )
]


def test_a_page_is_valid_and_asks_for_nothing():
    browser.check_html(frame.page("A <title>", PARTS, script="let a = 1 < 2"))


def test_texts_do_nothing():
    page = frame.page("</title><script>", PARTS)
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 3


@pytest.mark.parametrize(
    "bad", ["\0", "\x1b", "\x85", "\ud800", "\ufdd0", "\U0001ffff"]
)
def test_what_html_must_not_have(bad):
    assert frame.escape(f"a{bad}b\n") == "a\ufffdb\n"


def test_columns_of_numbers():
    page = frame.table(["a", "b"], [["x", "1"]], ["b"])
    assert '<th scope="col">a</th><th scope="col" class="number">b</th>' in page
    assert '<td>x</td><td class="number">1</td>' in page


@browser.needs_chromium
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_cut_off(tmp_path, width):
    wide = frame.table(["x" * 20] * 40, [["y"] * 40])
    file = tmp_path / "page.html"
    file.write_text(frame.page("z" * 300, [*PARTS, wide, "<p>" + "w" * 500]))
    with browser.chromium(width) as driver:
        driver.get(file.as_uri())
        assert not browser.is_cut_off(driver)
