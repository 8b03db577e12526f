"""Documents → pairs of texts, for the second task of pre-training.

Source: Devlin et al. 2019, section 3.1 and appendix A.2.
"""

import bisect
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bert.data.corpus.documents import Documents
from bert.data.corpus.draws import draw_below
from bert.data.corpus.instance_settings import InstanceSettings
from bert.data.records import packing

# How often another document is drawn where the same one came up.
_RANDOM_DOCUMENT_TRIES = 10


class TextPair(NamedTuple):
    """Where the two texts of an instance are.

    Attributes:
        a: span of the document's ids.
        b: span of ids: of the same, or of the others where `is_random_next`.
        is_random_next: whether b is a random text, not the one after a.
    """

    a: packing.Span
    b: packing.Span
    is_random_next: bool


def text_pairs(
    documents: Documents,
    index: int,
    others: Documents,
    order: Sequence[int],
    own: int,
    settings: InstanceSettings,
    rng: random.Random,
) -> Iterator[TextPair]:
    """Cuts one document, in one pass, into pairs of texts.

    A chunk is as many sentences as fill a sequence. Its first few are a; b is
    the rest of it or, by a coin, sentences from another document, and then
    the rest goes back to be used next.

    Args:
        documents: where the document is.
        index: which it is.
        others: where random next sentences come from.
        order: their numbers, one of which is drawn.
        own: where in `order` this document stands; -1: nowhere.
        settings: what to make.
        rng: where every random number comes from.
    """
    bounds = documents.bounds
    start, stop = documents.firsts[index], documents.firsts[index + 1]
    max_num_tokens = settings.max_seq_length - 3
    # Mostly full sequences, so that little is padding; some shorter ones, as
    # fine-tuning will see them.
    target_length = max_num_tokens
    if rng.random() < settings.short_seq_prob:
        target_length = rng.randint(2, max_num_tokens)

    while start < stop:
        end = _chunk_end(bounds, start, stop, target_length)
        size = end - start
        a_end = start + (1 + draw_below(size - 1, rng) if size > 1 else 1)
        a = bounds[start], bounds[a_end]
        is_random_next = size == 1 or rng.random() < 0.5
        if is_random_next:
            other = order[draw_other(len(order), own, rng)]
            b = _random_sentences(
                others, other, target_length - a[1] + a[0], rng
            )
            start = a_end
        else:
            b = bounds[a_end], bounds[end]
            start = end
        yield TextPair(
            *packing.truncate_spans_at_random(a, b, max_num_tokens, rng),
            is_random_next,
        )


def draw_other(count: int, own: int, rng: random.Random) -> int:
    """Draws a number below `count`, again up to nine times if it is `own`."""
    for _ in range(_RANDOM_DOCUMENT_TRIES):
        number = draw_below(count, rng)
        if number != own:
            break
    return number


def _chunk_end(
    bounds: Sequence[int], start: int, stop: int, target_length: int
) -> int:
    """Returns the end of the sentences, from start, with target_length ids.

    At least one sentence, and at most those before `stop`.
    """
    target = bounds[start] + target_length
    return bisect.bisect_left(bounds, target, start + 1, stop)


def _random_sentences(
    documents: Documents, index: int, target_length: int, rng: random.Random
) -> packing.Span:
    """Returns sentences in a row from anywhere in a document."""
    first, stop = documents.firsts[index], documents.firsts[index + 1]
    start = first + draw_below(stop - first, rng)
    end = _chunk_end(documents.bounds, start, stop, target_length)
    return documents.bounds[start], documents.bounds[end]
