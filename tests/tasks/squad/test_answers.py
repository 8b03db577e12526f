import numpy as np
import pytest

from bert.tasks.squad import answers
from bert.tasks.squad.answers import Answer, NbestEntry, RawResult
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.windows import Document, Window

LOW = -9.0


def make_settings(**changes):
    settings = {
        "n_best_size": 20,
        "max_answer_length": 30,
        "do_lower_case": True,
        "version_2_with_negative": False,
    }
    return answers.AnswerSettings(**{**settings, **changes})


def make_window(
    number=0, words="The cat sat", start=0, widest=None, example_index=0
):
    """[CLS] who [SEP] the cat sat [SEP]: the words are at 3, 4, ..."""
    pieces = words.lower().split()
    return Window(
        unique_id=1000000000 + number,
        example_index=example_index,
        doc_span_index=number,
        query=["who"],
        document=Document(pieces, [0] * len(pieces), range(len(pieces)), []),
        start=start,
        length=len(pieces) - start,
        widest=widest or [0] * len(pieces),
        start_position=None,
        end_position=None,
        is_impossible=False,
    )


def logits(length=7, **high):
    """Low everywhere but at positions such as p3=1.0."""
    values = np.full([length], LOW, np.float32)
    for place, value in high.items():
        values[int(place[1:])] = value
    return values


def answer(*results, words="The cat sat", **settings):
    pairs = [
        (window, RawResult(window.unique_id, starts, ends))
        for window, starts, ends in results
    ]
    example = SquadExample("id", "who", words.split())
    return answers.answer(example, pairs, make_settings(**settings))


def test_the_best_start_and_end_make_the_answer():
    found = answer((make_window(), logits(p4=2.0), logits(p5=3.0)))
    assert found.nbest[0][0] == "cat sat"
    assert found.nbest[0][2:] == (2.0, 3.0)
    assert sum(entry.probability for entry in found.nbest) == pytest.approx(1)
    assert found.prediction(0.0) == "cat sat"
    assert found.null_odds is None


def test_an_answer_stands_in_the_context_and_does_not_end_before_it_starts():
    starts = logits(p0=9.0, p1=8.0, p2=7.0, p5=2.0, p6=9.0)
    found = answer((make_window(), starts, logits(p3=5.0, p6=9.0)))
    texts = {entry.text for entry in found.nbest}
    assert found.nbest[0].text == "The"
    assert texts == {"The", "cat", "sat", "The cat", "cat sat", "The cat sat"}


def test_an_answer_is_at_most_so_many_pieces():
    window = make_window(words="a b c d")
    found = answer(
        (window, logits(8, p3=1.0), logits(8, p6=1.0)),
        words="a b c d",
        max_answer_length=2,
    )
    texts = {entry.text for entry in found.nbest}
    assert texts == {"a", "b", "c", "d", "a b", "b c", "c d"}


def test_only_the_window_of_most_context_may_start_an_answer():
    first = make_window(0, widest=[0, 1, 1])
    second = make_window(1, start=1, widest=[0, 1, 1])
    found = answer(
        (first, logits(p4=9.0), logits(p4=9.0)),
        (second, logits(6, p3=1.0), logits(6, p3=1.0)),
    )
    assert found.nbest[0][0] == "cat"
    assert found.nbest[0].start_logit == 1.0


def test_only_the_best_starts_and_ends_of_a_window_are_looked_at():
    found = answer(
        (make_window(), logits(p0=9.0, p4=2.0), logits(p0=9.0, p4=2.0)),
        n_best_size=2,
    )
    assert [entry.text for entry in found.nbest] == ["cat"]


def test_of_equal_logits_the_first_are_the_best():
    words = " ".join(f"w{number}" for number in range(200))
    high = {f"p{place}": 1.0 for place in range(3, 203)}
    found = answer(
        (make_window(words=words), *2 * [logits(204, **high)]),
        words=words,
        n_best_size=2,
    )
    assert [entry.text for entry in found.nbest] == ["w0", "w0 w1"]


def test_a_text_comes_once():
    window = make_window(words="cat sat cat")
    found = answer(
        (window, logits(p3=3.0, p5=2.0), logits(p3=3.0, p5=2.0)),
        words="Cat sat Cat",
    )
    texts = [entry.text for entry in found.nbest]
    assert len(texts) == len(set(texts))
    assert found.nbest[0][2:] == (3.0, 3.0)


def test_empty_is_answered_where_nothing_can_be():
    starts = ends = logits(p0=9.0)
    found = answer((make_window(), starts, ends), n_best_size=1)
    assert found.nbest == [NbestEntry("empty", 1.0, 0.0, 0.0)]
    assert found.prediction(0.0) == "empty"


def test_the_null_score_is_the_lowest_of_all_windows():
    found = answer(
        (make_window(0), logits(p0=4.0, p4=1.0), logits(p0=4.0, p4=1.0)),
        (make_window(1), logits(p0=1.0), logits(p0=2.0)),
        version_2_with_negative=True,
    )
    assert found.null_odds == 3.0 - 2.0
    null = next(entry for entry in found.nbest if not entry.text)
    assert (null.start_logit, null.end_logit) == (1.0, 2.0)


def test_no_answer_is_given_where_null_odds_are_above_the_threshold():
    found = Answer([], "cat", null_odds=1.5)
    assert found.prediction(1.0) == ""
    assert found.prediction(1.5) == "cat"
    assert found.prediction(2.0) == "cat"


def test_no_answer_joins_the_n_best_where_it_is_not_among_them():
    found = answer(
        (make_window(), *2 * [logits(p0=-20.0, p3=1.0, p4=1.0, p5=1.0)]),
        version_2_with_negative=True,
        n_best_size=3,
    )
    assert len(found.nbest) == 4
    assert found.nbest[-1].text == ""


def test_what_crashes_the_original_is_no_answer():
    """Version 2, and no start or end among the best is in the context."""
    starts = ends = logits(p0=-3.0)
    found = answer(
        (make_window(), starts, ends),
        n_best_size=1,
        version_2_with_negative=True,
    )
    assert [entry.text for entry in found.nbest] == [""]
    assert found.null_odds == -6.0
    assert found.prediction(100.0) == ""


def test_a_paragraph_without_words_has_no_answer():
    found = answer(words="", version_2_with_negative=True)
    assert [entry.text for entry in found.nbest] == [""]
    assert found.prediction(0.0) == ""
    assert answer(words="").prediction(0.0) == "empty"


def test_each_question_gets_the_results_of_its_windows():
    examples = [SquadExample(name, "who", ["cat"]) for name in "xyz"]
    # The second one has no words, so no window.
    windows = [
        make_window(0, words="cat", widest=[0]),
        make_window(1, words="cat", widest=[1], example_index=2),
    ]
    results = [
        RawResult(window.unique_id, logits(5, p3=value), logits(5))
        for window, value in zip(windows, (1.0, 2.0), strict=True)
    ]
    found = answers.answers(examples, windows, results, make_settings())
    assert [
        (example.qas_id, answer.nbest[0].text, answer.nbest[0].start_logit)
        for example, answer in found
    ] == [("x", "cat", 1.0), ("y", "empty", 0.0), ("z", "cat", 2.0)]


def test_results_in_another_order_are_refused():
    examples = [SquadExample("x", "who", ["cat"])]
    result = RawResult(5, logits(5), logits(5))
    found = answers.answers(
        examples, [make_window(words="cat")], [result], make_settings()
    )
    with pytest.raises(ValueError, match="the result of window 1000000000"):
        list(found)
