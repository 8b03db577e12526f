"""Which ids of a sequence are masked, and by what.

Source: Devlin et al. 2019, section 3.1 and appendix A.1.
"""

import bisect
import itertools
import random
from collections.abc import Iterable, Sequence

from bert.data.corpus.draws import draw_below, shuffle
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.records import packing


def create_masked_lm_predictions(
    packed: packing.Packed,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> tuple[list[int], list[int]]:
    """Masks words of a sequence, in place.

    Of the chosen ids 80 % become [MASK], 10 % stay and 10 % become any word
    of the vocabulary.

    Returns:
        The positions that were chosen, ascending, and the ids that stood
        there.
    """
    ids = packed.ids
    # [CLS] and both [SEP] are never masked.
    candidates = [
        *range(1, packed.first_length - 1),
        *range(packed.first_length, len(ids) - 1),
    ]
    return mask(ids, candidates, settings, vocabulary, rng)


def mask(
    ids: list[int],
    candidates: list[int],
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> tuple[list[int], list[int]]:
    """Does what `create_masked_lm_predictions` does.

    Args:
        ids: the sequence.
        candidates: the positions that may be masked, ascending.
        settings: how many.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.
    """
    num_to_predict = min(
        settings.max_predictions_per_seq,
        max(1, round(len(ids) * settings.masked_lm_prob)),
    )
    if settings.max_ngram > 1:
        words = [[position] for position in candidates]
        if settings.do_whole_word_mask:
            words = _words(candidates, ids, vocabulary)
        chosen = _ngrams(words, num_to_predict, settings.max_ngram, rng)
    elif settings.do_whole_word_mask:
        words = _words(candidates, ids, vocabulary)
        shuffle(words, rng)
        chosen = _first_that_fit(words, num_to_predict)
    else:
        shuffle(candidates, rng)
        chosen = candidates[:num_to_predict]

    labels = {}
    # In the order in which they were chosen: each draws its replacement.
    for position in chosen:
        labels[position] = ids[position]
        if rng.random() < 0.8:
            ids[position] = vocabulary.mask_id
        elif rng.random() >= 0.5:
            word = draw_below(len(vocabulary.word_ids), rng)
            ids[position] = vocabulary.word_ids[word]
    chosen.sort()
    return chosen, [labels[position] for position in chosen]


def _words(
    positions: Iterable[int], ids: list[int], vocabulary: Vocabulary
) -> list[list[int]]:
    """Returns the positions word by word.

    A continuation belongs to the word before it, even to one of the other
    text: truncation can leave a text that begins with such a piece.
    """
    words: list[list[int]] = []
    for position in positions:
        if words and (
            ids[position] in vocabulary.continuation_ids
            or ids[position - 1] in vocabulary.unfinished_ids
        ):
            words[-1].append(position)
        else:
            words.append([position])
    return words


def _first_that_fit(words: Iterable[list[int]], limit: int) -> list[int]:
    """Returns the positions of words, leaving out those that exceed limit."""
    chosen: list[int] = []
    for positions in words:
        if len(chosen) + len(positions) <= limit:
            chosen += positions
    return chosen


def ngram_lengths(max_ngram: int) -> list[float]:
    """Returns where the lengths of n-grams end on a line: 1, 1 + 1/2, ….

    An even draw below the m-th of these is a length of at most m, n of them
    with a probability ∝ 1/n: by how many of these it is not below, and one.
    """
    return list(itertools.accumulate(1 / n for n in range(1, max_ngram + 1)))


def _ngrams(
    words: Sequence[list[int]], limit: int, max_ngram: int, rng: random.Random
) -> list[int]:
    """Returns the positions of n-grams, at most `limit`.

    At each word, in random order, an n-gram may begin. One that has more than
    are left is made shorter, one that meets another is left out. None goes on
    in the other text.

    Source: Lan et al. 2020, section 4.1.
    """
    lengths = ngram_lengths(max_ngram)
    starts = list(range(len(words)))
    shuffle(starts, rng)
    is_taken = [False] * len(words)
    chosen: list[int] = []
    for start in starts:
        if len(chosen) == limit:
            break
        most = 1
        while most < max_ngram and _goes_on(words, start + most):
            most += 1
        size = 1 + bisect.bisect(lengths, rng.random() * lengths[most - 1])
        while size and (
            len(chosen) + sum(map(len, words[start : start + size])) > limit
        ):
            size -= 1
        stop = start + size
        if not any(is_taken[start:stop]):
            is_taken[start:stop] = [True] * size
            chosen += itertools.chain.from_iterable(words[start:stop])
    return chosen


def _goes_on(words: Sequence[list[int]], index: int) -> bool:
    """Whether a word is there, and follows the one before it in its text."""
    return index < len(words) and words[index][0] == words[index - 1][-1] + 1
