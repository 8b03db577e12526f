"""How much the examples of each label count in training."""

import collections
import math
from collections.abc import Collection, Iterator, Sequence

from bert.data.tables import rows
from bert.errors import UserError
from bert.tasks.classification.kinds import Kind

_LARGEST_WEIGHT = 1e6


def class_weights(
    text: str, kind: Kind, names: Sequence[str], own: Sequence[Collection[str]]
) -> list[float]:
    """Returns how much each label's examples count in training.

    Args:
        text: "neg:1.0,pos:3.5", a number for each label; or "balanced": n /
            (L * n of the label), so that all labels count the same together;
            where several labels may hold, examples without a label for each
            one with it.
        kind: what is said of a text.
        names: the labels.
        own: those of each training example.

    Raises:
        UserError: a label is unknown, missing, or given twice; a weight is no
            number above 0; or "balanced" is not defined.
    """
    if text == "balanced":
        return _balanced(kind, names, own)
    return _given(text, names)


def _balanced(
    kind: Kind, names: Sequence[str], own: Sequence[Collection[str]]
) -> list[float]:
    total = len(own)
    counts = collections.Counter(name for each in own for name in set(each))
    weights = []
    for name in names:
        count = counts[name]
        weight = kind.balanced_weight(count, total, len(names)) if count else 0
        if not weight:
            raise _fault(
                "balanced",
                f"{name!r} is on {count} of {total} training examples",
            )
        weights.append(weight)
    return weights


def _given(text: str, labels: Sequence[str]) -> list[float]:
    weights: dict[str, float] = {}
    for part in _parts(text, labels):
        label, weight = _split(part)
        if label not in labels:
            raise _fault(
                part,
                f"the labels are {rows.some(labels)}; "
                f"{rows.shorten(label)} is none",
            )
        if label in weights:
            raise _fault(part, f"{rows.shorten(label)} stands there twice")
        weights[label] = _weight(part, weight)
    missing = [label for label in labels if label not in weights]
    if missing:
        raise _fault(text, f"{rows.some(missing)} has none")
    return [weights[label] for label in labels]


def _parts(text: str, labels: Collection[str]) -> Iterator[str]:
    """Yields what stands between commas that are no label's."""
    parts = text.split(",")
    most = 1 + max(label.count(",") for label in labels)
    while parts:
        # The longest that names a label: a label may end as another does.
        joined = (",".join(parts[:n]) for n in range(most, 0, -1))
        part = next((p for p in joined if _split(p)[0] in labels), parts[0])
        yield part
        parts = parts[part.count(",") + 1 :]


def _split(part: str) -> tuple[str, str]:
    label, _, weight = part.rpartition(":")
    return label.strip(), weight


def _weight(part: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    # Losses are float32, which ends at 3.4e38.
    if not 0 < weight < _LARGEST_WEIGHT:
        raise _fault(
            part, f"{text!r} is no number above 0 and below {_LARGEST_WEIGHT:g}"
        )
    return weight


def _fault(received: str, reason: str) -> UserError:
    return UserError(
        "--class_weights: expected balanced, or a weight above 0 for each "
        f"label (neg:1.0,pos:3.5). Received: {received!r}, but {reason}."
    )
