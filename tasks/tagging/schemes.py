"""How labels of words mark entities.

B-PER I-PER E-PER S-PER O      what is counted (IOB, IOBES)
B-PER M-PER E-PER S-PER O      BMES; L-, U- and W- as well (BILOU, BMEWO)
B_PER, PER-B, PER_B, b-per     the same, written otherwise
B I O                          entities of one type
"""

import re
from collections.abc import Mapping, Sequence, Set

from absl import logging

# Each letter, as conlleval and seqeval know it.
_LETTERS = {
    **{letter: letter for letter in "BIES"},
    **{"M": "I", "L": "E", "U": "S", "W": "S"},
}
_OUTSIDE = ("O", "o")
_USUAL = re.compile(r"O|[BIESLU]-.+")
# How all labels but O may be written.
_FORMS = tuple(
    re.compile(form.format("(?P<letter>[BIESMLUWbiesmluw])", "(?P<type>.+)"))
    for form in ("{0}-{1}", "{0}_{1}", "{1}-{0}", "{1}_{0}", "{0}(?P<type>)")
)


def is_usual(labels: Sequence[str]) -> bool:
    """Whether labels are O, B-x, I-x, E-x, S-x, L-x and U-x, and no others."""
    return any(label != "O" for label in labels) and all(
        map(_USUAL.fullmatch, labels)
    )


def read(labels: Sequence[str]) -> Mapping[str, str] | None:
    """Returns each label as IOBES has it; None where they mark no entities.

    In other forms than the usual one some label must say that an entity
    begins, or all that a word is inside of one: else they may mean anything.

    Args:
        labels: all labels there are.
    """
    others = [label for label in labels if label not in _OUTSIDE]
    for form in _FORMS:
        found = [form.fullmatch(label) for label in others]
        if not others or None in found:
            continue
        letters = [match["letter"].upper() for match in found if match]
        types = [match["type"] for match in found if match]
        has_types = all(types)
        if is_usual(labels) or _is_meant({*letters}, has_types):
            tags = {
                label: f"{_LETTERS[letter]}-{kind or '_'}"
                for label, letter, kind in zip(
                    others, letters, types, strict=True
                )
            }
            return {**dict.fromkeys(labels, "O"), **tags}
    return None


def _is_meant(letters: Set[str], has_types: bool) -> bool:
    if has_types:
        return "B" in letters or letters == {"I"}
    return "B" in letters and not letters.isdisjoint("IMEL")


def log(labels: Sequence[str]) -> None:
    """Logs how labels are read that do not mark entities as is usual.

    Args:
        labels: all labels there are.
    """
    if is_usual(labels):
        return
    if tags := read(labels):
        label = next(name for name in labels if tags[name] != "O")
        logging.info(
            "Entities are counted as if labels were B-…, I-…: %r is %s.",
            *(label, tags[label]),
        )
        return
    strange = sorted(x for x in labels if not _USUAL.fullmatch(x))
    if len(strange) < len(labels) or not {*_OUTSIDE}.isdisjoint(labels):
        logging.warning(
            "No entities are counted: %r is none of O, B-…, I-…, E-…, S-…; "
            "eval_accuracy and macro_f1 are of words.",
            strange[0],
        )
