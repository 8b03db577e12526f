import base64
import re

import numpy as np
import pytest

from bert.pages import attention, frame
from tests import browser

TOKENS = ["[CLS]", "<b>", "of", "##ten", "[SEP]"]
# Numbers of which each is another: 2 layers, 3 heads.
PROBS = np.arange(150, dtype=np.float32).reshape(2, 3, 5, 5) / 255


def page_of(*parts):
    style, script = attention.STYLE, attention.script()
    return frame.page("Attention", parts, style=style, script=script)


def test_it_is_valid_and_texts_do_nothing():
    parts = [attention.part(name, TOKENS, PROBS) for name in ("one", "<two>")]
    browser.check_html(page_of(*parts))
    assert "<b>" not in parts[0]
    assert 'aria-label="&lt;two&gt;"' in parts[1]


def test_numbers_are_bytes():
    part = attention.part("one", TOKENS, PROBS)
    (coded,) = re.findall(r'<script type="text/plain">([^<]*)<', part)
    assert list(base64.b64decode(coded)) == list(range(150))
    largest = np.full([1, 1, 1, 1], 1 + 1e-6, np.float32)
    assert ">/w==<" in attention.part("one", ["a"], largest)


def test_a_page_has_a_sane_size():
    assert attention.most_pieces(12, 12) == 241
    probs = np.zeros([12, 12, 128, 128], np.float32)
    page = page_of(attention.part("one", ["piece"] * 128, probs))
    assert 3.1e6 < len(page) < 3.2e6


@pytest.mark.parametrize(
    ("tokens", "direction"),
    [
        (["[CLS]", "the", "[SEP]"], "ltr"),
        (["[CLS]", "##ש", "the", "[SEP]"], "rtl"),
        (["[CLS]", "1", "ع", "[SEP]"], "rtl"),
        (["[CLS]", "[SEP]"], "ltr"),
        (["[CLS]", "[", "中"], "ltr"),
    ],
)
def test_pieces_run_as_the_text_does(tokens, direction):
    assert attention.direction(tokens) == direction


@browser.needs_chromium
@pytest.mark.slow
def test_a_reader_sees_what_a_piece_looks_at(tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    file = tmp_path / "page.html"
    two = [
        attention.part("one", TOKENS, PROBS),
        attention.part("two", ["[CLS]", "שלום", "ע" * 90], PROBS[..., :3, :3]),
    ]
    file.write_text(page_of(*two))
    with browser.chromium(400) as driver:
        driver.get(file.as_uri())
        assert not browser.is_cut_off(driver)
        figure, other = driver.find_elements("css selector", ".attention")

        def pieces(figure):
            return figure.find_elements("css selector", ".pieces button")

        def seen(figure):
            rows = figure.find_elements("css selector", "tr")
            return [row.text.splitlines()[-1].split()[-2] for row in rows]

        def choose(name, value):
            select = figure.find_element("css selector", f"[name={name}]")
            select.find_element("css selector", f"[value='{value}']").click()

        def percents(layer, head, piece):
            heads = (
                PROBS[layer - 1] if head == 0 else PROBS[layer - 1, head - 1]
            )
            values = np.atleast_3d(heads.T).T[:, piece].mean(0)
            return [str(round(100 * x)) for x in sorted(values)[::-1]]

        # As it begins: the second piece, the last layer.
        assert seen(figure) == percents(2, 0, 1)
        choose("layer", 1)
        choose("head", 3)
        assert seen(figure) == percents(1, 3, 1)
        ActionChains(driver).move_to_element(pieces(figure)[2]).perform()
        assert seen(figure) == percents(1, 3, 2)
        canvas = figure.find_element("css selector", "canvas")
        side = canvas.size["width"] // 3
        # From its middle to the second head of the first layer.
        ActionChains(driver).move_to_element_with_offset(
            canvas, 0, -side // 2
        ).click().perform()
        assert seen(figure) == percents(1, 2, 2)
        choose("head", 3)
        status = figure.find_element("css selector", "[role=status]")
        assert status.text == "“of” looks most at “[SEP]”"
        pieces(figure)[0].send_keys(Keys.END)
        assert driver.switch_to.active_element.text == "[SEP]"
        assert seen(figure) == percents(1, 3, 4)
        driver.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
        assert driver.switch_to.active_element.text == "##ten"
        # From right to left the arrows go the other way.
        pieces(other)[0].send_keys(Keys.ARROW_LEFT)
        assert driver.switch_to.active_element.text == "שלום"
        assert driver.get_log("browser") == []
