"""Warnings of text that is not a sentence a line, a document a paragraph."""

import itertools
from collections.abc import Sequence

from absl import logging

from bert.data.corpus.documents import Documents, names_of

# Shares from which on it is worth a warning.
_ONE_LINE = 0.5
_LOST = 0.1


def warn(
    documents: Documents, max_seq_length: int, files: Sequence[str]
) -> None:
    """Warns of documents of one line, and of lines that are mostly cut off.

    A document of one line never gives a sentence and the one that follows it.
    Of a line that is longer than a sequence the rest is in no record.

    Args:
        documents: at least one; all of the text, or some.
        max_seq_length: of the records.
        files: where the text is; for messages.
    """
    bounds, firsts = documents.bounds, documents.firsts
    num_short = sum(b - a == 1 for a, b in itertools.pairwise(firsts))
    if num_short >= _ONE_LINE * len(documents):
        logging.warning(
            "%d of %d documents are one line: no record of them has a sentence "
            "and the next one, all have a random one. Expected a sentence a "
            "line, and a blank line after each document (in %s).",
            num_short,
            len(documents),
            names_of(files),
        )
    most = max_seq_length - 3  # [CLS], [SEP], [SEP]
    too_long = [
        b - a - most for a, b in itertools.pairwise(bounds) if b - a > most
    ]
    num_lost, total = sum(too_long), bounds[-1]
    if num_lost >= _LOST * total:
        logging.warning(
            "%d of %d lines are longer than --max_seq_length=%d: at least %d "
            "of their %d word pieces (%d %%) are cut off and lost. Expected a "
            "sentence a line (in %s).",
            len(too_long),
            len(bounds) - 1,
            max_seq_length,
            num_lost,
            total,
            100 * num_lost // total,
            names_of(files),
        )
