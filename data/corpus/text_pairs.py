"""Documents → pairs of texts, for the second task of pre-training.

Source: Devlin et al. 2019, section 3.1 and appendix A.2, unless it says
otherwise.
"""

import bisect
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bert.data.corpus.documents import Documents
from bert.data.corpus.draws import draw_below
from bert.data.corpus.instance_settings import InstanceSettings
from bert.data.records import packing

# How often another document is drawn where the same one came up.
_RANDOM_DOCUMENT_TRIES = 10


class TextPair(NamedTuple):
    """Where the texts of an instance are.

    Attributes:
        a: span of the document's ids.
        b: span of ids: of the same, or of the others where `is_random_next`;
            empty where there is no second text.
        is_random_next: whether b is a random text, not the one after a.
        is_swapped: whether b is the text before a.
    """

    a: packing.Span
    b: packing.Span
    is_random_next: bool = False
    is_swapped: bool = False

    @property
    def label(self) -> bool:
        """The record's next_sentence_labels."""
        return self.is_random_next or self.is_swapped


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

    A chunk is as many sentences as fill a sequence. What becomes of it depends
    on `settings.next_sentence`.

    Args:
        documents: where the document is.
        index: which it is.
        others: where random next sentences come from.
        order: their numbers, one of which is drawn.
        own: where in `order` this document stands; -1: nowhere.
        settings: what to make.
        rng: where every random number comes from.
    """
    sentences = range(documents.firsts[index], documents.firsts[index + 1])
    max_num_tokens = settings.max_num_tokens
    # Mostly full sequences, so that little is padding; some shorter ones, as
    # fine-tuning will see them.
    target_length = max_num_tokens
    if rng.random() < settings.short_seq_prob:
        target_length = rng.randint(2, max_num_tokens)

    if settings.next_sentence == "nsp":
        bounds = documents.bounds
        pairs = _next_or_random(
            bounds, sentences, target_length, others, order, own, rng
        )
    else:
        cut = _in_order_or_swapped if settings.next_sentence == "sop" else _one
        pairs = _chunks(documents.bounds, sentences, target_length, cut, rng)
    for pair in pairs:
        a, b = packing.truncate_spans_at_random(
            pair.a, pair.b, max_num_tokens, rng
        )
        yield pair._replace(a=a, b=b)


def _next_or_random(
    bounds: Sequence[int],
    sentences: range,
    target_length: int,
    others: Documents,
    order: Sequence[int],
    own: int,
    rng: random.Random,
) -> Iterator[TextPair]:
    """Yields the pairs of next sentence prediction, not yet truncated.

    The first few sentences of a chunk are a; b is the rest of it or, by a
    coin, sentences from another document, and then the rest goes back to be
    used next.
    """
    start, stop = sentences.start, sentences.stop
    while start < stop:
        end = _chunk_end(bounds, start, stop, target_length)
        a_end = _middle(start, end, rng)
        a = bounds[start], bounds[a_end]
        is_random_next = a_end == end or rng.random() < 0.5
        if is_random_next:
            other = order[draw_other(len(order), own, rng)]
            b = _random_sentences(
                others, other, target_length - a[1] + a[0], rng
            )
            start = a_end
        else:
            b = bounds[a_end], bounds[end]
            start = end
        yield TextPair(a, b, is_random_next)


def _chunks(
    bounds: Sequence[int],
    sentences: range,
    target_length: int,
    cut: Callable[[Sequence[int], random.Random], TextPair | None],
    rng: random.Random,
) -> Iterator[TextPair]:
    """Yields what `cut` makes of each chunk of contiguous sentences."""
    start, stop = sentences.start, sentences.stop
    while start < stop:
        end = _chunk_end(bounds, start, stop, target_length)
        if pair := cut(bounds[start : end + 1], rng):
            yield pair
        start = end


def _in_order_or_swapped(
    bounds: Sequence[int], rng: random.Random
) -> TextPair | None:
    """Returns a chunk in two parts; by a coin the second one is a.

    Between sentences, as in next sentence prediction; a chunk of one sentence
    is cut inside of it. None where that is a single id.

    Source: Lan et al. 2020, section 3.1.
    """
    start, stop = bounds[0], bounds[-1]
    if len(bounds) > 2:
        middle = bounds[_middle(0, len(bounds) - 1, rng)]
    elif stop - start > 1:
        middle = _middle(start, stop, rng)
    else:
        return None
    parts = (start, middle), (middle, stop)
    is_swapped = rng.random() < 0.5
    a, b = parts[::-1] if is_swapped else parts
    return TextPair(a, b, is_swapped=is_swapped)


def _one(bounds: Sequence[int], rng: random.Random) -> TextPair:
    """Returns a chunk as the only text."""
    return TextPair((bounds[0], bounds[-1]), (0, 0))


def _middle(start: int, end: int, rng: random.Random) -> int:
    """Draws where a has at least one, and b as well where there are two."""
    return start + (
        1 + draw_below(end - start - 1, rng) if end - start > 1 else 1
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
