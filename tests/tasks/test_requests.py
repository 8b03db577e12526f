import numpy as np
import pytest

from bert.errors import UserError
from bert.tasks import requests
from bert.tasks.requests import UnfitError

NAMES = ("question", "context")


@pytest.mark.parametrize(
    ("value", "least", "expected"),
    [
        ("a", 1, ("a",)),
        (["a"], 1, ("a",)),
        (("a", "b"), 1, ("a", "b")),
        ({"question": "a"}, 1, ("a",)),
        ({"question": "a", "context": None, "id": 3}, 1, ("a",)),
        ({"question": "a", "context": "b"}, 2, ("a", "b")),
    ],
)
def test_texts_come_by_place_or_by_name(value, least, expected):
    assert requests.texts_of(value, NAMES, "two", least) == expected


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("a", 2),
        (["a", "b", "c"], 1),
        ([], 1),
        (["a", 1], 1),
        ({"context": "b"}, 1),
        ({"question": "a", "context": None}, 2),
        (None, 1),
        (b"a", 1),
    ],
)
def test_what_is_no_texts_is_refused(value, least):
    with pytest.raises(UnfitError, match=r'^what is wanted \({"question": "…"'):
        requests.texts_of(value, NAMES, "what is wanted", least)


def test_the_message_names_the_fields():
    with pytest.raises(UnfitError) as caught:
        requests.texts_of(3, NAMES, "one or two")
    expected = 'one or two ({"question": "…"}, and "context" if any)'
    assert str(caught.value) == expected
    with pytest.raises(UnfitError) as caught:
        requests.texts_of(3, NAMES, "two", least=2)
    assert str(caught.value) == 'two ({"question": "…", "context": "…"})'


def test_numbers_have_the_digits_of_float32():
    values = np.array([0.1, 1 / 3], np.float32)
    assert requests.numbers_of(values) == [0.1, 0.33333334]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_json_cannot_write_is_refused(value):
    with pytest.raises(UserError, match="not a number"):
        requests.numbers_of(np.array([1, value], np.float32))


def test_a_value_that_is_no_request_is_named_by_its_place():
    def request(value):
        if value == 3:
            raise UnfitError("a text")
        return value.upper()

    assert requests.requests_of(["a", "b"], request, "texts") == ["A", "B"]
    with pytest.raises(
        UserError, match=r"^texts\[1\]: expected a text. Received: 3\.$"
    ):
        requests.requests_of(["a", 3], request, "texts")
