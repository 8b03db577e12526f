"""Is the text a sentence a line, a document a paragraph, in known words?"""

import itertools
from collections.abc import Sequence

from absl import logging

from bert.data.corpus.documents import Documents, names_of
from bert.data.corpus.instance_settings import InstanceSettings
from bert.errors import UserError

# Shares from which on it is worth a warning.
_ONE_LINE = 0.5
_LOST = 0.1
_UNKNOWN = 0.2
_OF_ONE_LINE = {
    "nsp": "no record of them has a sentence and the next one, all have a "
    "random one",
    "sop": "the two texts of their records are parts of one sentence",
}


def check(
    documents: Documents, settings: InstanceSettings, files: Sequence[str]
) -> None:
    """Warns of text that makes poor records; refuses text that makes none.

    A document of one line never gives a sentence and the one that follows it.
    Of a line that is longer than a sequence the rest is in no record.

    Args:
        documents: at least one; all of the text, or some.
        settings: of the records.
        files: where the text is; for messages.

    Raises:
        UserError: no record can be made of it.
    """
    bounds, firsts = documents.bounds, documents.firsts
    if settings.next_sentence == "nsp" and len(documents) == 1:
        logging.warning(
            "All text is one document, so random next sentences come from it "
            "as well; separate documents by blank lines (in %s).",
            names_of(files),
        )
    if settings.next_sentence == "sop" and bounds[-1] == len(documents):
        raise UserError(
            "--next_sentence=sop needs two texts in order: documents of two "
            "sentences, or a sentence of two word pieces. Received: "
            f"{names_of(files)}, whose documents are one word piece each."
        )
    num_short = sum(b - a == 1 for a, b in itertools.pairwise(firsts))
    if settings.next_sentence != "none" and num_short >= _ONE_LINE * len(
        documents
    ):
        logging.warning(
            "%d of %d documents are one line: %s. Expected a sentence a line, "
            "and a blank line after each document (in %s).",
            num_short,
            len(documents),
            _OF_ONE_LINE[settings.next_sentence],
            names_of(files),
        )
    most = settings.max_num_tokens
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
            settings.max_seq_length,
            num_lost,
            total,
            100 * num_lost // total,
            names_of(files),
        )


def warn_of_unknown(
    documents: Documents, unknown: int, vocab_file: str, files: Sequence[str]
) -> None:
    """Warns of text that a vocabulary has no pieces for.

    Args:
        documents: at least one; all of the text, or some.
        unknown: the id of `[UNK]`.
        vocab_file: where the vocabulary is; for the message.
        files: where the text is; likewise.
    """
    ids = documents.ids
    if isinstance(ids, list):
        num_unknown = ids.count(unknown)
    else:
        num_unknown = int((ids == unknown).sum())
    if num_unknown >= _UNKNOWN * len(ids):
        logging.warning(
            "%d %% of %d word pieces are [UNK]: --vocab_file=%s has no pieces "
            "for the text. Expected a vocabulary of its language and script, "
            "and its --do_lower_case (in %s).",
            100 * num_unknown // len(ids),
            len(ids),
            vocab_file,
            names_of(files),
        )
