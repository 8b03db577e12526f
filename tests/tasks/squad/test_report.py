import pytest

from bert.tasks.squad import judged, metrics, report
from bert.tasks.squad.answers import Answer, NbestEntry
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.judged import Settings

V1 = Settings(0.0, "words", version_2=False)
V2 = Settings(0.0, "words", version_2=True)
CONTEXT = "Anna lives in  Rome and Ben in Paris."


def _asked(
    answers, text, question="Where?", probability=0.5, null_odds=None, **more
):
    example = SquadExample(
        "id",
        question,
        ["Anna", "lives", "in", "Rome", "and", "Ben", "in", "Paris."],
        answers=tuple(answers),
        answer_ranges=(None,) * len(answers),
        word_starts=(0, 5, 11, 15, 20, 24, 28, 31),
        **more,
    )
    nbest = [NbestEntry(text, probability, 0.0, 0.0)]
    if null_odds is not None:
        nbest.append(NbestEntry("", 1 - probability, 0.0, 0.0))
    return example, Answer(nbest, text, null_odds)


def _judged(found, settings=V1, pieces=()):
    return judged.judge(found, dict(enumerate(pieces)), settings)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("In what year did it end?", "what"),
        ("WHO's there, and why?", "who"),
        ("To whom?", "who"),
        ("Name the whatsit.", "other"),
        ("谁在那里?", "other"),
        ("", "other"),
    ],
)
def test_question_words(question, word):
    assert report.question_word(question) == word


def test_figures_by_question_word():
    rows = _judged(
        [
            _asked(["Rome"], "Rome", "Where?"),
            _asked(["Rome"], "Paris", "Name it."),
            _asked(["in Rome"], "Rome", "where not?"),
            _asked(["Ben"], "Ben", "Who?"),
        ]
    )
    where, who, other = report.facts(rows, V1)["by_question_word"]
    assert where == {
        "question_word": "where",
        "questions": 2,
        "exact_match": 50.0,
        "f1": pytest.approx(100 * (1 + 2 / 3) / 2),
    }
    assert (who["question_word"], who["f1"]) == ("who", 100.0)
    assert (other["question_word"], other["f1"]) == ("other", 0.0)


def test_figures_by_length_add_up_to_all_of_them():
    found = [
        _asked(["Rome"], "Rome"),
        _asked(["the"], "the"),
        _asked(["in Rome and Ben"], "Ben"),
        _asked(["住在罗马"], "x"),
    ]
    rows = _judged(found, pieces=[10, 101, 5000])
    facts = report.facts(rows, V1)
    assert [
        (own["words"], own["questions"]) for own in facts["by_answer_length"]
    ] == [("1", 2), ("3–4", 2)]
    assert [
        (own["pieces"], own["questions"]) for own in facts["by_context_length"]
    ] == [("0–100", 2), ("101–200", 1), ("1001+", 1)]
    want = metrics.metrics(
        [metrics.Judged(e.answers, a.prediction(0.0)) for e, a in found]
    )
    for name in ("by_answer_length", "by_context_length", "by_question_word"):
        sums = sum(own["questions"] * own["f1"] for own in facts[name])
        assert sums / 4 == pytest.approx(want["f1"])


def test_wrong_answers_stand_in_their_context():
    rows = _judged(
        [
            _asked(["Rome and", "Rome"], "and Ben", probability=0.5),
            _asked(["Rome"], "Paris", probability=0.4),
            _asked(["Rome"], "Ben", probability=0.6),
            _asked(["Rome"], "Rome", probability=0.9),
        ]
    )
    wrong = report.facts(rows, V1)["wrong"]
    # The surest of those that have nothing right come first.
    assert [own["prediction"] for own in wrong] == ["Ben", "Paris", "and Ben"]
    context = wrong[2]["context"]
    assert context["text"] == CONTEXT
    # Both right answers are one place; words stand where they stood.
    assert context["gold"] == [(15, 23)]
    assert context["predicted"] == [(20, 27)]
    assert wrong[1]["context"]["predicted"] == [(31, 36)]


def _version_2():
    return [
        _asked(["Rome"], "Rome", null_odds=-3.0),
        _asked([], "Ben", null_odds=1.0),
        _asked(["Paris"], "Paris", null_odds=1.5, probability=0.25),
        _asked([], "Ben", null_odds=2.0),
    ]


def test_version_2_tells_questions_with_and_without_an_answer_apart():
    rows = _judged(_version_2(), V2)
    facts = report.facts(rows, V2)
    yes, no = facts["by_has_answer"]
    assert yes == {
        "has_answer": True,
        "answered": 1,
        "questions": 2,
        "exact_match": 50.0,
        "f1": 50.0,
    }
    assert (no["has_answer"], no["answered"], no["f1"]) == (False, 0, 100.0)
    assert facts["by_answer_length"][-1]["words"] == "no answer"
    (wrong,) = facts["wrong"]
    assert wrong["prediction"] == ""
    assert wrong["probability"] == 0.75


def test_the_threshold_curve_has_the_chosen_and_the_best_points():
    settings = V2._replace(threshold=1.2)
    found = report.facts(_judged(_version_2(), settings), settings)["threshold"]
    assert found["chosen"] == {
        "threshold": 1.2,
        "exact_match": 50.0,
        "f1": 50.0,
    }
    assert found["best"]["f1"] == {
        "threshold": -3.0,
        "exact_match": 75.0,
        "f1": 75.0,
    }
    assert len(found["curve"]) == 5
    # Below all: none is answered.
    low = V2._replace(threshold=-99.0)
    found = report.facts(_judged(_version_2(), low), low)["threshold"]
    assert found["chosen"]["f1"] == 50.0


def test_a_long_curve_is_thinned_and_keeps_its_best_point():
    found = [
        _asked(["Rome"] if n < 777 else [], "Rome", null_odds=float(n))
        for n in range(2000)
    ]
    found.append(_asked(["Rome"], "", null_odds=1e6))
    curve = report.facts(_judged(found, V2), V2)["threshold"]
    assert len(curve["curve"]) < 400
    assert curve["best"]["f1"]["threshold"] == 776.0
    assert curve["best"]["f1"] in curve["curve"]
    assert curve["curve"][-1]["threshold"] == 1999.0


def test_lines_of_dev_predictions():
    lines = list(report.predictions(_judged(_version_2(), V2)))
    assert lines[1] == {
        "id": "id",
        "question": "Where?",
        "gold": (),
        "prediction": "",
        "probability": 0.5,
        "exact_match": 1.0,
        "f1": 1.0,
        "null_odds": 1.0,
    }
    (line,) = report.predictions(_judged([_asked(["Rome"], "Rome")]))
    assert "null_odds" not in line
