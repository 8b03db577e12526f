import pytest

from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.serving.answering import Failures, Item, Summary


def items(*requests):
    return [
        Item(Place("f", number, ""), request)
        for number, request in enumerate(requests, start=1)
    ]


def upper(requests):
    for request in requests:
        if request == "bad":
            raise UserError("no answer.")
        yield request.upper()


FAULT = UserError("f, line 2: no request.")


def test_faults_stand_in_their_places():
    summary = Summary(Failures.ANSWER)
    found = summary.answered(items("a", FAULT, "bad", "b"), upper)
    assert [(place.line, str(answer)) for place, answer in found] == [
        (1, "A"),
        (2, "f, line 2: no request."),
        (3, "f, line 3: no answer."),
        (4, "B"),
    ]
    with pytest.raises(UserError, match=r"f: 2 of its lines .*is line 2\."):
        summary.check()


def test_or_end_the_work_and_nothing_behind_them_is_read():
    def lines():
        yield from items("a", FAULT)
        raise AssertionError

    found = Summary(Failures.STOP).answered(lines(), upper)
    assert next(found)[1] == "A"
    with pytest.raises(UserError, match=r"f, line 2: no request\."):
        next(found)
    found = Summary(Failures.STOP).answered(items("a", "bad", "b"), upper)
    assert next(found)[1] == "A"
    with pytest.raises(UserError, match=r"f, line 2: no answer\."):
        next(found)


def test_without_faults_there_is_none_to_tell():
    summary = Summary(Failures.ANSWER)
    assert len(list(summary.answered(items("a", "b"), upper))) == 2
    assert list(summary.answered([], upper)) == []
    summary.check()
