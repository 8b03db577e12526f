import pytest

from bert.pages.marks import Span
from bert.tasks.squad import judged
from bert.tasks.squad.answers import Answer, NbestEntry
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.judged import Settings

CONTEXT = "Anna lives in  Rome and Ben in Paris."
V1 = Settings(0.0, "words", version_2=False)
V2 = Settings(0.0, "words", version_2=True)


def _judge(answers, text, settings=V1, null_odds=None, ranges=(), **example):
    values = {
        "answers": answers,
        "answer_ranges": (None,) * len(answers),
        "context": CONTEXT,
        **example,
    }
    nbest = [NbestEntry(text, 0.75, 0.0, 0.0)]
    if null_odds is not None:
        nbest.append(NbestEntry("", 0.25, 0.0, 0.0))
    (row,) = judged.judge(
        [
            (
                SquadExample("id", "Q", values.pop("words", []), **values),
                Answer(nbest, text, null_odds, ranges),
            )
        ],
        {0: 9},
        settings,
    )
    return row


def test_what_an_answer_is_worth():
    row = _judge(("in Rome", "Rome"), "in the Rome and")
    assert (row.exact, row.f1) == (0.0, pytest.approx(0.8))
    assert (row.prediction, row.probability) == ("in the Rome and", 0.75)
    assert row.pieces == 9


@pytest.mark.parametrize(
    ("null_odds", "prediction", "probability", "exact"),
    [(-1.0, "Rome", 0.75, 0.0), (1.0, "", 0.25, 1.0)],
)
def test_the_threshold_decides(null_odds, prediction, probability, exact):
    row = _judge((), "Rome", V2, null_odds)
    assert (row.prediction, row.probability) == (prediction, probability)
    assert row.exact == row.f1 == exact


def test_places_are_those_that_are_known():
    row = _judge(("in",), "in", ranges=[(11, 13)], answer_ranges=((28, 30),))
    shown = judged.in_context(row)
    assert shown == (CONTEXT, [Span(28, 30)], [Span(11, 13)])


def test_other_places_are_the_first_where_the_text_stands():
    row = _judge(("Rome and", "Rome", "not there"), "Ben")
    # Those that overlap are one.
    shown = judged.in_context(row)
    assert shown == (CONTEXT, [Span(15, 23)], [Span(24, 27)])


def test_words_stand_where_they_stood():
    row = _judge(
        *(("Rome",), "x"),
        words=CONTEXT.split(),
        word_starts=(0, 5, 11, 15, 20, 24, 28, 31),
        context=None,
    )
    assert judged.in_context(row).text == CONTEXT


def test_a_long_context_is_cut():
    context = "a " * 5000 + "Rome " + "b " * 5000 + "Paris" + " c" * 5000
    shown = judged.in_context(_judge(("Rome",), "Paris", context=context))
    assert len(shown.text) < 1000
    assert shown.text.count("…") == 3
    for spans, text in ((shown.gold, "Rome"), (shown.predicted, "Paris")):
        (span,) = spans
        assert shown.text[span.start : span.end] == text
