import pytest

from bert.data.records.long_texts import LongTexts
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.requests import UnfitError
from tests.tasks import models


@pytest.fixture
def make(golden):
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
    return lambda **changes: models.make("features", tokenizer, **changes)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("the", ("the", None)),
        (("the", "boat"), ("the", "boat")),
        ({"text": "the", "text_pair": "boat"}, ("the", "boat")),
        ({"text": "the", "text_pair": None}, ("the", None)),
    ],
)
def test_a_request_is_a_text_or_a_pair(make, value, expected):
    assert make().request(value) == expected


def test_a_line_is_a_text_or_a_pair(make):
    task = make()
    assert task.request_of_line(" the \n") == ("the", None)
    assert task.request_of_line("the ||| boat") == ("the", "boat")


def test_a_request_is_one_sequence_of_at_most_its_length(make):
    task = make()
    packed, rows = task.ask(task.request(("the " * 20, "boat " * 20)))
    assert rows == [packed]
    assert len(packed.ids) == 32
    assert packed.first_length == 17


def test_a_pair_needs_two_segments(make):
    task = make(type_vocab_size=1)
    assert list(task.raw_strings()) == ["serving_default"]
    assert task.request(("a", "")) == ("a", "")
    with pytest.raises(UnfitError, match="type_vocab_size is 1, found two"):
        task.request(("a", "b"))
    assert make().raw_strings()["pairs"].names == ("text", "text_pair")


def test_a_long_text_is_read_as_in_training(golden):
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
    cut = LongTexts("windows", 15, 2, "mean")
    task = models.make("classification", tokenizer, cut=cut)
    first, rows = task.ask(task.request("the " * 70))
    assert [len(row.ids) for row in rows] == [32, 32]
    assert first == rows[0]


def test_only_the_end_of_pairs_is_cut_off(make):
    task = models.make("classification", cut=LongTexts("middle"))
    assert task.about()["asks"] == ["text"]
    assert list(task.raw_strings()) == ["serving_default"]
    with pytest.raises(UnfitError, match="with --truncation=middle, found two"):
        task.request(("a", "b"))
    assert make().about()["asks"] == ["text", "text_pair"]
