"""The texts of labels: their order, and which differ in their form only.

Imports neither TensorFlow nor NumPy.
"""

import collections
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

# Whole numbers, also as programs write them that know floats only.
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?")
_INDEX = re.compile(r"[0-9]{1,18}(\.0)?")
_TRUTH = ("false", "true")
# Fewer rows do not tell that their numbers count them.
_LEAST_ROWS = 5


def in_order(labels: Collection[str]) -> list[str]:
    """Returns labels sorted: as numbers where all are whole, else as texts."""
    if all(map(_WHOLE_NUMBER.fullmatch, labels)):
        return sorted(labels, key=lambda label: (float(label), label))
    return sorted(labels)


def alike(labels: Iterable[str]) -> list[list[str]]:
    """Returns groups of labels that differ in their form only.

    In case, spaces, hyphens and underscores, in the form of a number (1, 1.0),
    in Unicode's forms; and where `true` and `False` are not of one spelling.
    """
    groups: dict[object, list[str]] = collections.defaultdict(list)
    for label in labels:
        groups[_meaning(label)].append(label)
    truth = [label for name in _TRUTH for label in groups[name]]
    if len({label.istitle() + 2 * label.isupper() for label in truth}) > 1:
        for name in _TRUTH:
            del groups[name]
        groups["truth"] = truth
    return [group for group in groups.values() if len(group) > 1]


def is_count(cells: Sequence[str]) -> bool:
    """Whether cells are the numbers of their rows, and enough to tell."""
    if len(cells) < _LEAST_ROWS or not all(map(_INDEX.fullmatch, cells)):
        return False
    first = float(cells[0])
    return all(float(x) == first + i for i, x in enumerate(cells))


def _meaning(label: str) -> object:
    """Returns what labels of one meaning have in common."""
    text = unicodedata.normalize("NFKC", label).casefold().strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    return re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", text)
