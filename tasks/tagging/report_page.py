"""The page of a report on labels of words: HTML of what `report` finds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert.pages import frame, marks
from bert.pages.marks import Marked, Span
from bert.tasks import report_sections
from bert.tasks.report_page import number, percent, score

Facts = Mapping[str, Any]

_KINDS = {
    "boundary": "Of the right type, but other words",
    "type": "Of another type",
    "missed": "Missed: there is one, and none was found",
    "invented": "Invented: there is none, and one was found",
}
_CONFUSION = {
    "entities": '<p class="muted">Entities by their types, right ones of other '
    "words among them.</p>",
    "labels": "",
}


def sections(document: Facts) -> Iterator[str]:
    """Yields the HTML of what `report.facts` found."""
    counted, of_all = document["counted"], document["all"]
    errors, worst = document["errors"], document["worst"]
    yield _lead(document)
    yield frame.section("Where it fails", _kinds(errors, of_all["support"]))
    if examples := [own for own in errors if own["examples"]]:
        yield frame.section(
            "Examples of each kind of error",
            "<p>Those first that the model is surest of.</p>",
            marks.LEGEND,
            *map(_errors, examples),
        )
    if worst:
        yield frame.section(
            f"The {len(worst)} worst sentences",
            "<p>Those with the greatest loss over all their words.</p>",
            marks.LEGEND,
            report_sections.examples(map(_worst, worst)),
        )
    yield frame.section(
        "Types of entities" if counted == "entities" else "Labels",
        _types([*document["types"], {"type": "all", **of_all}]),
    )
    confusion = document["confusion"]
    yield frame.section(
        "What was taken for what",
        _CONFUSION[counted],
        report_sections.confusion(confusion["names"], confusion["counts"]),
    )
    yield frame.section("By length", _by_length(document["by_length"], counted))


def _lead(document: Facts) -> str:
    of_all = document["all"]
    size = ", ".join(
        f"{document[key]:,} {report_sections.plural(key[:-1], document[key])}"
        for key in ("sentences", "words")
    )
    if document["counted"] == "labels":
        share = of_all["right"] / of_all["support"]
        return report_sections.lead(
            f"<strong>{of_all['right']:,} of {of_all['support']:,} words "
            f"right</strong> ({percent(share)}).",
            f"{size}.",
        )
    precision, f1 = percent(of_all["precision"]), score(of_all["f1"])
    return report_sections.lead(
        f"<strong>{of_all['right']:,} of {of_all['support']:,} entities "
        f"found</strong> ({percent(of_all['recall'])}), with the right words "
        "and type.",
        f"{of_all['predicted']:,} were predicted; {precision} of them are "
        f"right. F1: {f1}.",
        f"{size}.",
    )


def _kinds(errors: Sequence[Facts], support: int) -> str:
    if not any(own["count"] for own in errors):
        return "<p>Nothing is wrong.</p>"
    rows = [
        [
            frame.text(_KINDS.get(own["kind"], own["kind"])),
            number(own["count"]),
            # What is invented is none of those there are.
            percent(
                own["count"] / support
                if support and own["kind"] != "invented"
                else None
            ),
        ]
        for own in errors
    ]
    columns = ["error", "count", "of all there are"]
    return frame.table(columns, rows, columns[1:])


def _errors(error: Facts) -> str:
    title = _KINDS.get(error["kind"], error["kind"])
    shown = (
        f'<span class="muted">({len(error["examples"])} of '
        f"{error['count']:,})</span>"
    )
    return f"<h3>{frame.text(title)} {shown}</h3>\n" + report_sections.examples(
        map(_error, error["examples"])
    )


def _error(example: Facts) -> str:
    return report_sections.marked(
        marked(example),
        _place(example),
        [
            f"Right is {_entity(example['is'])}, predicted "
            f"{_entity(example['found'])} ({percent(example['probability'])})",
        ],
    )


def _entity(entity: Facts | None) -> str:
    if entity is None:
        return "none"
    return (
        f"{report_sections.name(entity['text'])} {frame.text(entity['type'])}"
    )


def _worst(example: Facts) -> str:
    wrong, words = example["wrong_words"], example["words"]
    said = f"{wrong} of {words} {report_sections.plural('word', words)} wrong"
    return report_sections.marked(marked(example), _place(example), [said])


def _place(example: Facts) -> str:
    return f"{example['id']}, line {example['line']}"


def marked(example: Facts) -> Marked:
    """Returns an example's text with its places."""
    return Marked(
        example["text"],
        *([Span(**s) for s in example[key]] for key in ("gold", "predicted")),
    )


def _types(types: Sequence[Facts]) -> str:
    columns = ["type", "count", "precision", "recall", "F1"]
    rows = [
        [
            frame.text(own["type"]),
            number(own["support"]),
            *(score(own[key]) for key in ("precision", "recall", "f1")),
        ]
        for own in types
    ]
    return frame.table(columns, rows, columns[1:])


def _by_length(bands: Sequence[Facts], counted: str) -> str:
    names = {"accuracy": "accuracy of words"}
    if counted == "entities":
        names["f1"] = "F1 of entities"
    rows = [
        [
            frame.escape(own["words"]),
            number(own["sentences"]),
            *(score(own[key]) for key in names),
        ]
        for own in bands
    ]
    columns = ["words", "sentences", *names.values()]
    return frame.table(columns, rows, columns)
