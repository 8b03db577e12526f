"""Answers of models as people want to see them: bars, and marks in the text.

They look as those of the page at `/` of serve.py, which a browser makes. An
answer is what `serving.predictor` or fill_mask.py gives, and what is shown goes
by the task's name (`Spec.name`).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bert.pages.frame import COLOURS, escape, text

MASK = "[MASK]"
STYLE = "".join(
    f"mark.kind-{number} {{ --kind: {colour}; }}\n"
    for number, colour in enumerate(COLOURS)
)
# Rows of a table before the rest is folded away.
_MOST_ROWS = 12
_BEST = ' class="best"'


class Span(NamedTuple):
    """A place in a text that is marked.

    Attributes:
        start: its first character.
        end: one past its last one.
        label: what it is called; may be "".
        kind: the number of its colour.
    """

    start: int
    end: int
    label: str = ""
    kind: int = 0


class Asked(NamedTuple):
    """What was asked, and what is needed to show the answer.

    Attributes:
        texts: by the names of predict.py's objects.
        tags: of ner, what each label says as IOBES has it; None where the
            labels mark no entities.
    """

    texts: Mapping[str, Any]
    tags: Mapping[str, str] | None = None


def shown(task: str, answer: Mapping[str, Any], asked: Asked) -> list[str]:
    """Returns the HTML of an answer: what it says in a line, and more.

    Args:
        task: `Spec.name`; of a task that is not known the JSON is shown.
        answer: its values may be anything that JSON can write.
        asked: see `Asked`.
    """
    return _SHOWN.get(task, _as_json)(answer, asked)


def bars(
    caption: str,
    rows: Iterable[tuple[str, float]],
    best: Iterable[int] = (),
) -> str:
    """Returns a table of bars.

    Args:
        caption: what they are, as text.
        rows: the HTML of a name, and a number from 0 to 1.
        best: the numbers of the rows that stand out.
    """
    chosen = {*best}
    lines = [
        f"<tr{_BEST if number in chosen else ''}>"
        f'<th scope="row">{name}</th><td><div class="track"><div class="bar" '
        f'style="width: {100 * share:.1f}%"></div></div></td>'
        f'<td class="number">{_percent(share)}</td></tr>'
        for number, (name, share) in enumerate(rows)
    ]
    # What stands out is never folded away.
    most = max(_MOST_ROWS, *(number + 1 for number in chosen), 0)
    table = _table(f"<caption>{escape(caption)}</caption>", lines[:most])
    if rest := lines[most:]:
        table += (
            f"\n<details><summary>{len(rest)} more</summary>\n"
            f"{_table('', rest)}</details>"
        )
    return table


def _table(caption: str, lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    return (
        f'<table class="answers">{caption}\n<tbody>\n{body}\n</tbody></table>'
    )


def marked(words: str, spans: Iterable[Span]) -> str:
    """Returns a text with marks.

    Args:
        words: the text.
        spans: in order; they do not overlap.
    """
    made, at = [], 0
    for span in spans:
        label = f"<small>{text(span.label)}</small>" if span.label else ""
        made.append(escape(words[at : span.start]))
        made.append(
            f'<mark class="entity kind-{span.kind % len(COLOURS)}">'
            f"{escape(words[span.start : span.end])}{label}</mark>"
        )
        at = span.end
    made.append(escape(words[at:]))
    return f'<p class="text" dir="auto">{"".join(made)}</p>'


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _said(line: str) -> str:
    return f"<p><strong>{line}</strong></p>"


def _one_label(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    label, probabilities = answer["label"], answer["probabilities"]
    said = f"{text(label)}, {_percent(probabilities[label])}"
    return [_said(said), _labels(probabilities, [label])]


def _several_labels(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    labels = answer["labels"]
    said = ", ".join(map(text, labels)) or "no label"
    return [_said(said), _labels(answer["probabilities"], labels)]


def _labels(probabilities: Mapping[str, float], best: Sequence[str]) -> str:
    pairs = sorted(probabilities.items(), key=lambda pair: -pair[1])
    chosen = [n for n, (name, _) in enumerate(pairs) if name in best]
    return bars("Labels", [(text(k), v) for k, v in pairs], chosen)


def _number(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    return [_said(escape(answer["score"]))]


def _choice(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    names = [text(name or "") for name in asked.texts["choices"]]
    best, values = answer["choice"], answer["probabilities"]
    rows = zip(names, values, strict=True)
    said = f"{names[best]}, {_percent(values[best])}"
    return [_said(said), bars("Choices", rows, [best])]


def _span(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    found = answer["text"]
    place = [Span(answer["start"], answer["end"])] if found else []
    said = text(found) if found else "no answer in this context"
    nbest = answer["nbest"]
    rows = [
        (text(each["text"]) if each["text"] else "(no answer)", each)
        for each in nbest
    ]
    best = next(n for n, each in enumerate(nbest) if each["text"] == found)
    return [
        _said(f"{said}, {_percent(answer['probability'])}"),
        marked(asked.texts["context"], place),
        bars(
            "Best answers",
            [(name, each["probability"]) for name, each in rows],
            [best],
        ),
    ]


def _entities(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    words = asked.texts["text"]
    found = entities(answer["labels"], answer["offsets"] or [], asked.tags)
    return [
        _said(f"{len(found)} marked"),
        marked(words, found),
        bars(
            "Words with their labels",
            [
                (f"{text(token)} <small>{text(label)}</small>", share)
                for token, label, share in zip(
                    answer["tokens"],
                    answer["labels"],
                    answer["probabilities"],
                    strict=True,
                )
                if label != "O"
            ],
        ),
    ]


def entities(
    labels: Sequence[str],
    offsets: Sequence[Sequence[int]],
    tags: Mapping[str, str] | None,
) -> list[Span]:
    """Returns the entities that labels of words mark; kinds by first use.

    Args:
        labels: of the words.
        offsets: of each, its first character and one past its last.
        tags: see `Asked`; None: each word with another label than O is one.
    """
    found: list[Span] = []
    kinds: dict[str, int] = {}
    is_open = False
    for label, (start, end) in zip(labels, offsets, strict=True):
        outside = "O" if label == "O" else f"S-{label}"
        tag = (tags or {}).get(label, outside)
        letter, _, name = tag.partition("-")
        name = "" if name == "_" else name
        if letter == "O":
            is_open = False
            continue
        if is_open and letter in "IE" and found[-1].label == name:
            found[-1] = found[-1]._replace(end=end)
        else:
            kind = kinds.setdefault(name, len(kinds))
            found.append(Span(start, end, name, kind))
        is_open = letter in "BI"
    return found


def _guesses(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    masks = answer["masks"]
    words, spans = "", []
    first, *others = asked.texts["text"].split(MASK)
    words = first
    for guesses, part in zip(masks, others, strict=True):
        token = guesses[0]["token"]
        spans.append(Span(len(words), len(words) + len(token)))
        words += token + part
    tables = [
        bars(
            MASK if len(masks) == 1 else f"{MASK} {number}",
            [(text(g["token"]), g["probability"]) for g in guesses],
            [0],
        )
        for number, guesses in enumerate(masks, start=1)
    ]
    return [marked(words, spans), *tables]


def _vectors(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    rows = answer["sequence_output"]
    return [_said(f"{len(rows)} pieces, {len(rows[0])} numbers each")]


def _as_json(answer: Mapping[str, Any], asked: Asked) -> list[str]:
    return [f"<pre>{escape(json.dumps(answer, ensure_ascii=False))}</pre>"]


_SHOWN: dict[str, Callable[[Mapping[str, Any], Asked], list[str]]] = {
    "classification": _one_label,
    "multi_label": _several_labels,
    "regression": _number,
    "multiple_choice": _choice,
    "squad": _span,
    "ner": _entities,
    "pretraining": _guesses,
    "features": _vectors,
}
