"""Documents → instances for the two tasks of pre-training.

The same documents, settings and seed give the same instances in the same
order as google-research/bert's create_pretraining_data.py: every number that
it draws from its `random.Random` is drawn here too, in its order.

Source: Devlin et al. 2019, section 3.1 and appendix A.1, A.2.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bert.data.corpus.documents import Documents
from bert.data.corpus.draws import shuffle
from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.corpus.masking import create_masked_lm_predictions
from bert.data.corpus.text_pairs import TextPair, text_pairs
from bert.data.records import packing


class Instance(NamedTuple):
    """Masked texts.

    Attributes:
        packed: [CLS] a [SEP] b [SEP], or [CLS] a [SEP]; some ids replaced.
        next_sentence_label: see `TextPair.label`.
        masked_lm_positions: which ids of `packed` are to be predicted,
            ascending.
        masked_lm_ids: the ids that were there before masking.
    """

    packed: packing.Packed
    next_sentence_label: bool
    masked_lm_positions: list[int]
    masked_lm_ids: list[int]


def create_training_instances(
    documents: Documents,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> Iterator[list[Instance]]:
    """Makes the instances of all passes over the documents.

    The original shuffles all of them at the end: the caller collects what is
    yielded (or what it is converted to), and calls `shuffle` on that with the
    same rng.

    Args:
        documents: at least one.
        settings: what to make.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.

    Yields:
        The instances of each document of each pass.
    """
    order = list(range(len(documents)))
    shuffle(order, rng)
    for _ in range(settings.dupe_factor):
        for place, index in enumerate(order):
            yield document_instances(
                documents, index, order, place, settings, vocabulary, rng
            )


def document_instances(
    documents: Documents,
    index: int,
    order: Sequence[int],
    own: int,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> list[Instance]:
    """Makes the instances of one document, in one pass.

    Args:
        documents: at least one.
        index: which it is.
        order: see `text_pairs`.
        own: see `text_pairs`.
        settings: what to make.
        vocabulary: the one that the ids are of.
        rng: where every random number comes from.
    """
    pairs = text_pairs(documents, index, documents, order, own, settings, rng)
    # One at a time: an instance's masks are drawn before the next one's texts.
    return [
        _masked(documents.ids, pair, settings, vocabulary, rng)
        for pair in pairs
    ]


def _masked(
    ids: Sequence[int],
    pair: TextPair,
    settings: InstanceSettings,
    vocabulary: Vocabulary,
    rng: random.Random,
) -> Instance:
    a, b = ids[slice(*pair.a)], ids[slice(*pair.b)]
    packed = (
        packing.pack_pair(a, b, vocabulary.special)
        if len(b)
        else packing.pack_single(a, vocabulary.special)
    )
    masks: tuple[list[int], list[int]] = ([], [])
    if settings.masking == "static":
        masks = create_masked_lm_predictions(packed, settings, vocabulary, rng)
    return Instance(packed, pair.label, *masks)
