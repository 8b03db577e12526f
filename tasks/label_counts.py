"""The labels that a training set has, in the log, with what is odd of them.

Imports neither TensorFlow nor NumPy.
"""

import collections
import itertools
from collections.abc import Iterable, Mapping, Sequence

from absl import logging

from bert.data.tables import label_forms, rows

_MOST_NAMED = 50
# Fewer examples do not tell that each has a label of its own.
_LEAST_EXAMPLES = 10
# What tables have where nobody gave a label.
_NO_LABELS = ("-", "_", "?", "nan", "null", "n/a", "#n/a", "<na>")


def log(labels: Sequence[str], own: Iterable[Sequence[str]]) -> None:
    """Logs the labels of a training set, with how often each is there.

    Args:
        labels: in the order of their numbers.
        own: those of each text, or sentence.
    """
    counts = collections.Counter(itertools.chain.from_iterable(own))
    shown = [f"{rows.quoted(name)} ({counts[name]})" for name in labels]
    more = f", … ({len(shown)} in all)" if len(shown) > _MOST_NAMED else ""
    logging.info("Labels: %s%s", ", ".join(shown[:_MOST_NAMED]), more)


def log_numbers(numbers: Sequence[float]) -> None:
    """Logs the labels of a training set that are numbers."""
    logging.info(
        "Labels: %d numbers from %g to %g, %g on average",
        *(len(numbers), min(numbers), max(numbers)),
        sum(numbers) / len(numbers),
    )


def warn_of_forms(path: str, labels: Iterable[str]) -> None:
    """Warns of labels of a file that differ in their form only."""
    for group in label_forms.alike(labels):
        logging.warning(
            "%s: the labels %s differ in their form only, and each is one of "
            "its own; write them alike if they mean the same.",
            path,
            rows.some(list(map(repr, group))),
        )


def warn_of_number(path: str, num_labels: int, num_examples: int) -> None:
    """Warns of nearly as many labels as texts or words have one."""
    if num_examples >= _LEAST_EXAMPLES and 2 * num_labels > num_examples:
        logging.warning(
            "%s: %d labels have %d different values; is --label_column the "
            "right one?",
            *(path, num_examples, num_labels),
        )


def warn_of_cells(path: str, counts: Mapping[str, int]) -> None:
    """Warns of what stands in a table's cells and is hardly meant as a label.

    Args:
        path: the file.
        counts: how often each label is there.
    """
    for name in counts:
        # With a plus, minus is a label.
        if name.casefold() in _NO_LABELS and "+" not in counts:
            logging.warning(
                "%s: %r is taken for a label of its own, as on %d row(s); if "
                "it says that there is none, --skip_labels=%s leaves such "
                "rows out.",
                *(path, name, counts[name], name),
            )
        if name.startswith("[") and name.endswith("]"):
            logging.warning(
                "%s: %s is taken for one label; --label_type=multi is for "
                "lists of labels.",
                *(path, rows.shorten(name)),
            )
            break
