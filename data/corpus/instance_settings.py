"""What instances of pre-training to make, and of which vocabulary."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bert.data.records import packing
from bert.data.text import special_tokens
from bert.tasks import spec


@dataclasses.dataclass(frozen=True)
class InstanceSettings:
    """What instances to make; the flags of the same names.

    Attributes:
        max_seq_length: ids of an instance at most, [CLS] and [SEP] counted;
            at least 5.
        max_predictions_per_seq: masked positions of an instance at most.
        masked_lm_prob: share of an instance's ids to mask.
        short_seq_prob: how often a document's instances are made shorter.
        dupe_factor: passes over the documents, each with other masks.
        do_whole_word_mask: mask all pieces of a word or none.
        next_sentence: the second task, one of `spec.NEXT_SENTENCE`. nsp: does b
            follow a, or is it a random text? sop: are a and b in their order,
            or swapped? none: there is no second text.
        max_ngram: words (pieces, without do_whole_word_mask) in a row that are
            masked together, at most; n of them with a probability ∝ 1/n.
        masking: static; or dynamic, then no id is masked here, but whenever
            the instance is trained on (`drawn_masks`).
        pack_sequences: make rows of several instances (`packed_texts`).
    """

    max_seq_length: int
    max_predictions_per_seq: int
    masked_lm_prob: float
    short_seq_prob: float
    dupe_factor: int
    do_whole_word_mask: bool
    next_sentence: str = "nsp"
    max_ngram: int = 1
    masking: str = "static"
    pack_sequences: bool = False

    @property
    def max_num_tokens(self) -> int:
        """Ids of an instance's texts, without [CLS] and [SEP], at most."""
        return self.max_seq_length - (2 if self.next_sentence == "none" else 3)

    def faults(self) -> Iterator[str]:
        """Yields what is wrong with the values, flag by flag."""
        length, most = self.max_seq_length, self.max_predictions_per_seq
        checks = (
            (
                5 <= length <= 2**20,
                "--max_seq_length must be at least 5 ([CLS], [SEP], [SEP] and "
                f"a token of each text) and at most {2**20}. "
                f"Received: {length}.",
            ),
            (
                1 <= most <= length,
                "--max_predictions_per_seq must be from 1 to --max_seq_length "
                f"({length}). Received: {most}.",
            ),
            (
                self.dupe_factor >= 1,
                "--dupe_factor must be at least 1. "
                f"Received: {self.dupe_factor}.",
            ),
            (
                0 < self.masked_lm_prob <= 1,
                "--masked_lm_prob must be above 0 and at most 1. "
                f"Received: {self.masked_lm_prob}.",
            ),
            (
                0 <= self.short_seq_prob <= 1,
                "--short_seq_prob must be from 0 to 1. "
                f"Received: {self.short_seq_prob}.",
            ),
            (
                self.next_sentence in spec.NEXT_SENTENCE,
                f"--next_sentence must be one of {spec.NEXT_SENTENCE}. "
                f"Received: {self.next_sentence!r}.",
            ),
            (
                # Not also where the limit itself is wrong.
                1 <= self.max_ngram <= max(1, most),
                "--max_ngram must be from 1 to --max_predictions_per_seq "
                f"({most}). Received: {self.max_ngram}.",
            ),
            (
                self.masking in spec.MASKING,
                f"--masking must be one of {', '.join(spec.MASKING)}. "
                f"Received: {self.masking}.",
            ),
        )
        return (message for is_right, message in checks if not is_right)


class Vocabulary(NamedTuple):
    """What masking and packing need of a vocabulary.

    Attributes:
        special: [CLS] and [SEP].
        mask_id: [MASK].
        word_ids: what a random word is drawn from, in the order of the file.
        continuation_ids: the pieces that go on with the word of the one
            before them: word pieces that begin with "##".
        unfinished_ids: the pieces with whose word the next one goes on: byte
            pairs that do not end with "</w>".
    """

    special: packing.SpecialIds
    mask_id: int
    word_ids: list[int]
    continuation_ids: frozenset[int]
    unfinished_ids: frozenset[int] = frozenset()

    @classmethod
    def from_vocab(cls, vocab: Mapping[str, int]) -> "Vocabulary":
        """Reads it from a tokenizer's `vocab`, token → id."""
        names = special_tokens.of(vocab)
        has_pairs = names is special_tokens.BYTE_PAIRS
        inside = frozenset(
            number
            for token, number in vocab.items()
            if token not in names
            and (token[-4:] != "</w>" if has_pairs else token[:2] == "##")
        )
        return cls(
            packing.SpecialIds.from_vocab(vocab),
            vocab[names.mask],
            list(vocab.values()),
            *((frozenset(), inside) if has_pairs else (inside,)),
        )
