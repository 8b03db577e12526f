"""The page of a report on answers: HTML of what `report` finds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame, marks
from bert.pages.marks import Marked, Span
from bert.tasks import report_sections
from bert.tasks.report_page import number, percent

Facts = Mapping[str, Any]

_FIGURES = {"questions": "questions", "exact_match": "exact match", "f1": "F1"}


def sections(document: Facts) -> Iterator[str]:
    """Yields the HTML of what `report.facts` found."""
    yield _lead(document)
    words = document["by_question_word"]
    if [own["question_word"] for own in words] != ["other"]:
        yield frame.section(
            "By question word",
            _figures(words, {"question_word": "question word"}),
        )
    wrong = document["wrong"]
    all_wrong = document["all"]["questions"] - _right(document)
    if wrong:
        yield frame.section(
            "Wrong answers in their context",
            f"<p>{len(wrong)} of {all_wrong:,}: those first that have nothing "
            "right, and of them those that the model is surest of.</p>",
            marks.LEGEND,
            report_sections.examples(map(_wrong, wrong)),
        )
    if "threshold" in document:
        yield frame.section(
            "With and without an answer",
            _by_has_answer(document["by_has_answer"]),
        )
        yield frame.section("When to answer", _threshold(document["threshold"]))
    yield frame.section(
        "By length of the answer",
        _figures(document["by_answer_length"], {"words": "words"}),
    )
    yield frame.section(
        "By length of the context",
        _figures(document["by_context_length"], {"pieces": "word pieces"}),
    )


def _lead(document: Facts) -> str:
    of_all = document["all"]
    return report_sections.lead(
        f"<strong>{_right(document):,} of {of_all['questions']:,} "
        f"{report_sections.plural('question', of_all['questions'])} answered "
        f"exactly</strong> ({percent(of_all['exact_match'] / 100)}).",
        f"F1, which counts the words that an answer shares with the right "
        f"one: {number(of_all['f1'])}.",
    )


def _right(document: Facts) -> int:
    of_all = document["all"]
    return round(of_all["questions"] * of_all["exact_match"] / 100)


def _figures(rows: Sequence[Facts], first: Mapping[str, str]) -> str:
    names = {**first, **_FIGURES}
    return frame.table(
        list(names.values()),
        [
            [
                *(number(own[key]) for key in (*first, "questions")),
                *(f"{own[key]:.1f}" for key in ("exact_match", "f1")),
            ]
            for own in rows
        ],
        _FIGURES.values(),
    )


def _by_has_answer(rows: Sequence[Facts]) -> str:
    """Returns the table of whether questions have answers, and got one."""
    return _figures(
        [
            {
                **own,
                "has_answer": "yes" if own["has_answer"] else "no",
                "share": percent(own["answered"] / own["questions"]),
            }
            for own in rows
        ],
        {"has_answer": "has an answer", "share": "was given one"},
    )


def _threshold(found: Facts) -> str:
    chosen, best = found["chosen"], found["best"]["f1"]
    better = (
        f"{number(best['threshold'])} would give {number(best['f1'])} on these "
        "questions; expect a little less of others."
        if best["f1"] > chosen["f1"]
        else "none gives more on these questions."
    )
    words = (
        "<p>A question gets no answer where that scores higher than the best "
        "answer by more than null_score_diff_threshold. It is "
        f"{number(chosen['threshold'])}, which gives an F1 of "
        f"{number(chosen['f1'])}; {better}</p>"
    )
    curve = found["curve"]
    thresholds = [point["threshold"] for point in curve]
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        for key, line in (("exact_match", "-"), ("f1", "--")):
            axes.step(
                thresholds,
                [point[key] for point in curve],
                line,
                where="post",
                label=_FIGURES[key],
            )
        axes.axvline(
            chosen["threshold"], color=charts.INK, linestyle=":", label="chosen"
        )
        axes.plot(
            *([best["threshold"]], [best["f1"]], "o"),
            color=charts.INK,
            label="best F1",
        )
        axes.set_xlabel("null_score_diff_threshold")
        axes.set_ylabel("percent")
        axes.legend()
    return words + frame.figure(
        charts.svg(figure, "Figures by threshold"),
        "On the left few questions are answered, on the right all of them.",
    )


def _wrong(row: Facts) -> str:
    context = row["context"]
    shown = Marked(
        context["text"],
        *([Span(*s) for s in context[key]] for key in ("gold", "predicted")),
    )
    gold = list(dict.fromkeys(row["gold"]))
    return report_sections.marked(
        shown,
        row["id"],
        [
            f"<strong>{frame.text(row['question'])}</strong>",
            f"Right is {' or '.join(map(_answer, gold)) or 'no answer'}, "
            f"predicted {_answer(row['prediction'])} "
            f"({percent(row['probability'])})",
        ],
    )


def _answer(text: str) -> str:
    return report_sections.name(text) if text else "no answer"
