"""Which ids of a sequence are masked, and by what.

Source: Devlin et al. 2019, section 3.1 and appendix A.1.
"""

import random
from collections.abc import Iterable

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
    if settings.do_whole_word_mask:
        words = _words(candidates, ids, vocabulary.continuation_ids)
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
    positions: Iterable[int], ids: list[int], continuation_ids: frozenset[int]
) -> list[list[int]]:
    """Returns the positions word by word.

    A continuation belongs to the word before it, even to one of the other
    text: truncation can leave a text that begins with such a piece.
    """
    words: list[list[int]] = []
    for position in positions:
        if words and ids[position] in continuation_ids:
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
