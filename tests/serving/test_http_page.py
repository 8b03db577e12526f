"""The page at `/`: what people see of answers, in a browser, by clicks."""

import contextlib
import json
import random
import re
import shlex
import socket
import threading
import types

import pytest

pytest.importorskip("uvicorn", reason="requirements-serve.txt")

import uvicorn

from bert.serving import http_page
from bert.serving.http_app import Service
from bert.serving.http_metrics import Metrics
from bert.serving.http_models import Asked
from bert.tasks import spec
from bert.tasks.requests import UnfitError
from bert.tasks.tagging import schemes
from tests import browser
from tests.serving.ask_page import Page
from tests.serving.http_toys import Config, Model, run

SECONDS = 30
BAD = "<img src=x onerror=\"document.title='bad'\">"
KEY = "my-key"
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


class Canned(Model):
    """Gives the same answer to all that is asked, and keeps that."""

    def __init__(self, task, answer, **about):
        super().__init__()
        self.task = types.SimpleNamespace(spec=types.SimpleNamespace(name=task))
        self.answer = answer
        self.about = about
        self.asked = []

    def ask(self, value):
        if self.answer is None:
            raise UnfitError("[MASK] in the text")
        self.asked.append(value)
        return Asked([""], lambda found: self.answer)


TEXT = ["text"]
PAIR = ["text", "text_pair"]
CANNED = {
    "classification": (
        {"label": BAD, "probabilities": {BAD: 0.75, "0": 0.2501}},
        {"asks": PAIR},
    ),
    "multi_label": (
        {"labels": ["a", "b"], "probabilities": {"a": 0.5, "c": 0.4, "b": 1.0}},
        {"asks": PAIR, "threshold": 0.5},
    ),
    "regression": ({"score": -1.25}, {"asks": PAIR}),
    "multiple_choice": (
        {"choice": 1, "probabilities": [0.3, 0.7]},
        {"asks": ["text", "choices"]},
    ),
    "squad": (
        {
            "text": "🚤 בסירה",
            "probability": 0.6,
            "start": 4,
            "end": 11,
            "null_odds": -2.345,
            "nbest": [
                {"text": "🚤 בסירה", "probability": 0.6, "start": 4, "end": 11},
                {"text": "😀", "probability": 0.3, "start": 0, "end": 1},
                {"text": "", "probability": 0.1, "start": None, "end": None},
            ],
        },
        {"asks": ["question", "context"]},
    ),
    "ner": (
        {
            "tokens": ["😀", "Jim", "Henson", "אבא", "Rome"],
            "offsets": [[0, 1], [2, 5], [6, 12], [13, 16], [17, 21]],
            "labels": ["O", "B-PER", "I-PER", "I-PER", "B-LOC"],
            "probabilities": [0.9, 0.8, 0.7, 0.99, 0.5],
        },
        {"asks": TEXT, "entities": {tag: tag for tag in TAGS}},
    ),
    "pretraining": (
        {
            "masks": [
                [
                    {"token": "boat", "probability": 0.5},
                    {"token": "##s", "probability": 0.25},
                ],
                [{"token": BAD, "probability": 1.0}],
            ]
        },
        {"asks": TEXT},
    ),
    "features": (
        {
            "tokens": ["[CLS]", "a", "[SEP]"],
            "sequence_output": [[1.0] * 9, [2.0] * 9, [3.5, *[0.0] * 8]],
            "pooled_output": [0.5] * 9,
        },
        {"asks": PAIR},
    ),
    "later": ({"answer": BAD}, {"asks": ["text", "hint"]}),
}
# What is typed, what is said of the answer, the rows of its tables.
SHOWN = {
    "classification": (
        {"text": 'It\'s "$HOME" `ls` \\ !\n😀', "text_pair": "b"},
        f"{BAD}, 75.0 %",
        [(BAD, "75.0 %"), ("0", "25.0 %")],
    ),
    "multi_label": (
        {"text": "a"},
        "a, b",
        [("b", "100.0 %"), ("a", "50.0 %"), ("c", "40.0 %")],
    ),
    "regression": ({"text": ""}, "-1.25", []),
    "multiple_choice": (
        {"text": "a", "choices": ["b c", "אתמול"]},
        "אתמול, 70.0 %",
        [("b c", "30.0 %"), ("אתמול", "70.0 %")],
    ),
    "squad": (
        {"question": "where?", "context": "😀 a 🚤 בסירה. <b>"},
        "🚤 בסירה, 60.0 %",
        [("🚤 בסירה", "60.0 %"), ("😀", "30.0 %"), ("(no answer)", "10.0 %")],
    ),
    "ner": (
        {"text": "😀 Jim Henson אבא Rome."},
        "Marked: 2",
        [("Jim Henson אבא PER", "70.0 %"), ("Rome LOC", "50.0 %")],
    ),
    "pretraining": (
        {"text": "the [MASK] of [MASK]."},
        f"boat, {BAD}",
        [("boat", "50.0 %"), ("##s", "25.0 %"), (BAD, "100.0 %")],
    ),
    "features": ({"text": "a"}, "3 tokens, 9 numbers each", []),
    "later": ({"text": "a", "hint": "b"}, "Answered", []),
}


@contextlib.contextmanager
def serving(there, /, **changes):
    """Serves models in a thread; yields the page's address."""
    flags = Config(**{"models": list(there), **changes})
    service = Service(flags, there, Metrics(flags.models, 1))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # else the page may be asked for before the thread is
    config = uvicorn.Config(
        service.app(), http="h11", ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        for model in there.values():
            model.may_go.set()
        server.should_exit = True
        thread.join(SECONDS)
        for model in there.values():
            model.batches.close()


@pytest.fixture(scope="module")
def driver():
    with browser.chromium() as made:
        yield made


@pytest.fixture
def models():
    return {
        name: Canned(name, answer, **about)
        for name, (answer, about) in CANNED.items()
    }


@pytest.fixture
def page(driver, models):
    """The page of a server of all tasks."""
    with serving(models, max_body_bytes=10**5) as address:
        made = Page(driver, address)
        made.wait_for("#fields label")
        yield made
        assert driver.title == "Ask a model"
        assert not driver.get_log("browser")


def test_the_page_is_valid_and_needs_nothing_from_elsewhere():
    html, headers = http_page.page()
    browser.check_html(html)
    assert not re.search(r"innerHTML|insertAdjacent|document.write", html)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_it_is_there_without_a_key(make_app):
    _, app = make_app(api_keys=(b"key",))
    found = run(app, "GET", "/")
    assert found.code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["content-security-policy"]
    assert found.body.decode() == http_page.page().html
    assert run(app, "HEAD", "/").code == 200
    assert run(app, "GET", "/v1/models").code == 401


def test_all_tasks_have_a_way_to_be_shown():
    html = http_page.page().html
    (names,) = re.findall(r"const SHOWN = {(.*?)}", html, re.DOTALL)
    assert {*re.findall(r"(\w+):", names)} == {s.name for s in spec.SPECS}
    assert {*SHOWN} == {*CANNED} == {"later", *(s.name for s in spec.SPECS)}


@browser.needs_chromium
def test_a_model_is_asked_by_keys_alone(page, models):
    from selenium.webdriver import Keys

    page.press(Keys.TAB, "c", Keys.TAB)
    assert page.driver.switch_to.active_element.get_attribute("id") == (
        "field-text"
    )
    page.press("one")
    page.press(Keys.TAB)
    page.press("two")
    page.press(Keys.CONTROL, Keys.ENTER)
    assert page.said() == f"{BAD}, 75.0 %"
    page.press(Keys.TAB)
    page.press(Keys.ENTER)
    page.until(lambda _: len(models["classification"].asked) == 2)
    assert (
        models["classification"].asked
        == [{"text": "one", "text_pair": "two"}] * 2
    )


@browser.needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("name", list(SHOWN))
def test_answers_are_shown(page, models, name):
    fields, said, rows = SHOWN[name]
    page.choose(name)
    page.fill(**fields)
    assert page.ask() == said
    assert page.rows() == rows
    assert models[name].asked == [fields]
    # The line to copy asks the same.
    curl, address, flag, body = shlex.split(page.one("#curl").text)
    assert (curl, flag) == ("curl", "-d")
    assert address == f"{page.address}v1/models/{name}:predict"
    assert json.loads(body) == {"instances": [fields]}
    assert not page.all("#answer img")


@browser.needs_chromium
@pytest.mark.slow
def test_answers_are_marked_in_their_texts(page):
    page.choose("squad")
    page.fill(**SHOWN["squad"][0])
    page.ask()
    assert page.marks() == [("🚤 בסירה",)]
    _, other, none = page.all("#answer button")
    other.click()
    assert page.marks() == [("😀",)]
    none.click()
    assert page.marks() == []
    page.choose("ner")
    assert page.one("#said").text == ""
    page.fill(**SHOWN["ner"][0])
    page.ask()
    assert page.marks() == [("Jim Henson אבא", "PER"), ("Rome", "LOC")]
    assert page.one("#answer .text").text == "😀 Jim Henson אבאPER RomeLOC."
    page.choose("pretraining")
    page.fill(**SHOWN["pretraining"][0])
    page.ask()
    assert page.one("#answer .text").text == f"the boat of {BAD}."


@browser.needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("form", ["{}-{}", "{1}_{0}", "{}"])
def test_entities_are_those_that_are_counted(page, models, form):
    from seqeval.metrics.sequence_labeling import get_entities

    kinds = ("A", "B") if "1" in form or "-" in form else ("",)
    labels = ["O", *(form.format(x, kind) for x in "BIES" for kind in kinds)]
    tags = schemes.read(labels)
    rng = random.Random(1)
    given = rng.choices(labels, k=400)
    answer = {
        "offsets": [[2 * i, 2 * i + 1] for i in range(400)],
        "labels": given,
        "probabilities": [0.5] * 400,
    }
    models["ner"].answer, models["ner"].about["entities"] = answer, tags
    page.driver.refresh()
    page.wait_for("#fields label")
    page.choose("ner")
    page.fill(text="a " * 400)
    page.ask()
    expected = get_entities([tags[label] for label in given])
    found = [(len(text) // 2, *kind) for text, *kind in page.marks()]
    assert found == [
        (end - start, *([kind] if kind != "_" else []))
        for kind, start, end in expected
    ]


@browser.needs_chromium
@pytest.mark.slow
def test_labels_that_mark_no_entities_are_of_words(page, models):
    models["ner"].answer["labels"] = ["NOUN", "NOUN", "O", "VERB", "X"]
    models["ner"].about["entities"] = None
    page.driver.refresh()
    page.wait_for("#fields label")
    page.choose("ner")
    page.fill(**SHOWN["ner"][0])
    page.ask()
    assert [kind for _, kind in page.marks()] == ["NOUN", "NOUN", "VERB", "X"]


@browser.needs_chromium
@pytest.mark.slow
def test_what_is_rarer_in_answers(page, models):
    models["squad"].answer |= {"text": "", "start": None, "end": None}
    page.choose("squad")
    page.fill(**SHOWN["squad"][0])
    assert page.ask() == "No answer in this context, 60.0 %"
    assert page.marks() == []
    models["multi_label"].answer = {
        "labels": [],
        "probabilities": {str(n): n / 100 for n in range(40)},
    }
    page.choose("multi_label")
    assert page.ask() == "No label reaches 50.0 %"
    assert page.one("summary").text == "28 more"
    assert page.rows()[0] == ("39", "39.0 %")
    page.choose("regression")
    page.ask()
    assert page.one("#answer").text.startswith("The score, ")
    page.choose("features")
    page.ask()
    for name, numbers in (
        ("mean", "2.166667, 1, 1, 1, 1, 1, 1, 1, …"),
        ("max", "3.5, 2, 2, 2, 2, 2, 2, 2, …"),
        ("cls", "1, 1, 1, 1, 1, 1, 1, 1, …"),
        ("pooled_output", "0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, …"),
    ):
        page.choose(name, "#pooling")
        assert page.one("#answer pre").text == numbers


@browser.needs_chromium
@pytest.mark.slow
def test_a_mask_is_put_in_where_the_cursor_is(page):
    from selenium.webdriver import Keys

    page.choose("pretraining")
    field = page.one("#field-text")
    field.send_keys("the  boat", *[Keys.LEFT] * 5)
    page.one("#fields button").click()
    page.press("!")
    assert field.get_property("value") == "the [MASK]! boat"
    assert "the [MASK]! boat" in page.one("#curl").text


@browser.needs_chromium
@pytest.mark.slow
def test_what_the_server_refuses_is_told(page, models):
    models["pretraining"].answer = None
    page.choose("pretraining")
    assert page.ask() == (
        "Code 400: expected [MASK] in the text. Received: {'text': ''}."
    )
    assert page.one("#said").get_attribute("class") == "bad"
    page.choose("regression")
    page.fill(text="x" * 10**5)
    assert page.ask().startswith("Code 413: the body is longer than")
    page.fill(text="x")
    assert page.ask() == "-1.25"
    assert page.one("#said").get_attribute("class") == ""
    # Chromium tells of each refusal, too.
    assert len(page.driver.get_log("browser")) == 2


@browser.needs_chromium
@pytest.mark.slow
def test_an_answer_that_is_no_more_waited_for_is_dropped(page, models):
    slow = models["regression"]
    slow.may_go.clear()
    page.choose("regression")
    page.one("#ask").click()
    assert slow.is_in.wait(SECONDS)
    page.choose("classification")
    assert page.ask() == f"{BAD}, 75.0 %"
    slow.may_go.set()
    page.until(lambda _: not slow.batches.waiting_rows)
    assert page.said() == f"{BAD}, 75.0 %"


@browser.needs_chromium
@pytest.mark.slow
def test_it_waits_while_models_are_loaded(driver, models):
    loaded = {}
    with serving(loaded, models=[*models]) as address:
        page = Page(driver, address)
        assert page.said() == "Code 503: the models are being loaded"
        loaded |= models
        page.wait_for("#fields label")
        assert page.ask() == f"{BAD}, 75.0 %"


@browser.needs_chromium
@pytest.mark.slow
def test_a_server_that_has_gone_is_told(driver, models):
    with serving(models) as address:
        page = Page(driver, address)
        page.wait_for("#fields label")
    assert page.ask() == "The server does not answer. Does it still run?"


@browser.needs_chromium
@pytest.mark.slow
def test_a_key_is_asked_for_and_kept_nowhere(driver, models):
    with serving(models, api_keys=(KEY.encode(),)) as address:
        page = Page(driver, address)
        page.until(lambda _: page.one("#key").is_displayed())
        assert page.said() == "Code 401: an API key is needed"
        assert not page.one("#model").is_displayed()
        assert driver.switch_to.active_element == page.one("#key")
        page.press("wrong\n")
        wrong = "Code 401: the server does not know this key"
        page.until(lambda _: page.said() == wrong)
        page.one("#key").clear()
        page.one("#key").send_keys(f"{KEY} \n")
        page.wait_for("#fields label")
        assert page.ask() == f"{BAD}, 75.0 %"
        curl = page.one("#curl").text
        assert KEY not in curl
        assert " -H 'Authorization: Bearer KEY' " in curl
        kept = "return [localStorage.length, sessionStorage.length]"
        assert driver.execute_script(kept) == [0, 0]
        assert driver.get_cookies() == []
        assert driver.current_url == address
        driver.refresh()
        page.until(lambda _: page.one("#key").is_displayed())
        assert page.one("#key").get_property("value") == ""


@browser.needs_chromium
@pytest.mark.slow
def test_copy_buttons(page):
    origin = page.address.rstrip("/")
    names = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"origin": origin, "permissions": names}
    )

    def copied(selector):
        page.one(f"{selector} button").click()
        page.until(
            lambda _: page.one(f"{selector} [role=status]").text == "Copied"
        )
        return page.driver.execute_async_script(
            "navigator.clipboard.readText().then(arguments[0])"
        )

    assert copied("#curl + div") == page.one("#curl").text
    page.choose("features")
    page.ask()
    page.choose("pooled_output", "#pooling")
    assert json.loads(copied("#answer")) == [0.5] * 9
    # As on a page that is not of this machine.
    page.driver.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    page.one("#curl + div button").click()
    page.until(lambda _: page.one("#curl + div span").text == "Copied")


@pytest.fixture
def narrow(driver):
    """As wide as a telephone."""
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1}
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": False}
    )
    yield
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {**size, "width": 1280, "mobile": False},
    )


@browser.needs_chromium
@pytest.mark.slow
def test_nothing_is_cut_off_on_a_telephone(narrow, page, models):
    models["classification"].answer["probabilities"]["x" * 300] = 0.1
    models["m" * 200] = models["regression"]
    page.driver.refresh()
    page.wait_for("#fields label")
    for name, (fields, *_) in SHOWN.items():
        page.choose(name)
        page.fill(**fields)
        page.ask()
        assert not browser.is_cut_off(page.driver), name
