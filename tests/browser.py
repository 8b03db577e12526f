"""What tests look at pages with: Debian's Chromium, and a parser of HTML.

Chromium without a window; where there is none, `needs_chromium` skips a test
and says so. To look at a picture yourself: `screenshot`.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import html5lib
import pytest

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and shutil.which("chromedriver")),
    reason="needs Debian's chromium and chromium-driver",
)
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
_FROM_ELSEWHERE = re.compile(
    r"""(?:src|href)\s*=\s*["']?(?!["']|\#|data:)|@import|"""
    r"""\burl\((?!["']?(?:\#|data:))"""
)


def check_html(html: str) -> None:
    """Fails where a page is no valid HTML, or asks for anything elsewhere."""
    html5lib.HTMLParser(strict=True).parse(html)
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len({*ids}), "an id is given twice"
    assert not _FROM_ELSEWHERE.findall(html)


@contextmanager
def chromium(width: int = 1280, height: int = 900) -> Iterator[Any]:
    """Yields a selenium WebDriver of a Chromium with such a page size."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    with tempfile.TemporaryDirectory() as profile:
        for option in (*_OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        service = Service(shutil.which("chromedriver"))
        driver = webdriver.Chrome(options, service)
        try:
            # A window is never as narrow as a telephone; a page may be.
            size = {"width": width, "height": height}
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {**size, "deviceScaleFactor": 1, "mobile": False},
            )
            yield driver
        finally:
            driver.quit()


def is_cut_off(driver: Any) -> bool:
    """Whether a page is wider than its window."""
    return driver.execute_script(
        "const page = document.documentElement;"
        "return page.scrollWidth > page.clientWidth"
    )


def screenshot(
    page: Path, picture: Path, *, width: int = 1280, dark: bool = False
) -> None:
    """Writes a picture (PNG) of a whole page of HTML."""
    import base64

    with chromium(width) as driver:
        if dark:
            scheme = {"name": "prefers-color-scheme", "value": "dark"}
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [scheme]}
            )
        driver.get(page.resolve().as_uri())
        shot = driver.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True}
        )
    picture.write_bytes(base64.b64decode(shot["data"]))
