"""Where the ids of texts become one sequence of fixed length.

    [CLS] a a a [SEP] b b [SEP]
      0   0 0 0   0   1 1   1     segment_ids
      1   1 1 1   1   1 1   1     input_mask

then zeros in all three up to the sequence length. Nothing else writes [CLS],
[SEP], segment ids or padding. Where a vocabulary has a token of its own for the
end, it stands for the last [SEP] (`data.text.special_tokens`).
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bert.data.text import special_tokens

# Start and stop of ids in a row.
Span = tuple[int, int]


class SpecialIds(NamedTuple):
    """Ids of the tokens that hold a sequence together."""

    cls: int
    sep: int
    end: int

    @classmethod
    def from_vocab(cls, vocab: Mapping[str, int]) -> "SpecialIds":
        """Looks them up in a vocabulary (token → id) that has them."""
        names = special_tokens.of(vocab)
        return cls(vocab[names.cls], vocab[names.sep], vocab[names.end])


class Packed(NamedTuple):
    """A sequence without its padding.

    Attributes:
        ids: [CLS] a [SEP] b [SEP].
        first_length: how many ids are of segment 0: [CLS] a [SEP].
    """

    ids: list[int]
    first_length: int


def truncate_spans_at_random(
    a: Span, b: Span, max_num_tokens: int, rng: random.Random
) -> tuple[Span, Span]:
    """Returns what is left of a pair of spans: the rule of pre-training.

    The longer one (b where they are equal) loses an id, from its front or its
    back by a coin, until both together have at most max_num_tokens. One
    `rng.random()` for each id that goes.
    """
    (a_start, a_stop), (b_start, b_stop) = a, b
    a_length, b_length = a_stop - a_start, b_stop - b_start
    draw = rng.random
    for _ in range(a_length + b_length - max_num_tokens):
        at_front = draw() < 0.5
        if a_length > b_length:
            a_length -= 1
            a_start += at_front
        else:
            b_length -= 1
            b_start += at_front
    return (a_start, a_start + a_length), (b_start, b_start + b_length)


def truncate_seq_pair(
    ids_a: list[int], ids_b: list[int], max_num_tokens: int
) -> None:
    """Cuts a pair down, in place: the rule of fine-tuning.

    The longer one (b where they are equal) loses its last id until both
    together have at most max_num_tokens.
    """
    while len(ids_a) + len(ids_b) > max_num_tokens:
        longer = ids_a if len(ids_a) > len(ids_b) else ids_b
        longer.pop()


def pack_single(ids: Sequence[int], special: SpecialIds) -> Packed:
    """Returns [CLS] a [SEP]; adds 2 ids to those of a."""
    packed = [special.cls, *ids, special.end]
    return Packed(packed, len(packed))


def pack_pair(
    ids_a: Sequence[int], ids_b: Sequence[int], special: SpecialIds
) -> Packed:
    """Returns [CLS] a [SEP] b [SEP]; adds 3 ids to those of a and b."""
    return Packed(
        [special.cls, *ids_a, special.sep, *ids_b, special.end],
        len(ids_a) + 2,
    )


def pack_texts(
    text_a: str,
    text_b: str | None,
    encode: Callable[[str], list[int]],
    special: SpecialIds,
    seq_length: int,
) -> Packed:
    """Makes a text or a pair of texts one sequence of at most seq_length ids.

    Args:
        text_a: the text, or the first one.
        text_b: the second one; one without tokens counts as none.
        encode: text → ids.
        special: [CLS] and [SEP].
        seq_length: at least 3. A single text loses its end, a pair is cut by
            `truncate_seq_pair`.
    """
    ids_a = encode(text_a)
    ids_b = encode(text_b) if text_b else []
    if not ids_b:
        return pack_single(ids_a[: seq_length - 2], special)
    truncate_seq_pair(ids_a, ids_b, seq_length - 3)
    if not ids_b:  # as in the original, where there is no room for it
        return pack_single(ids_a, special)
    return pack_pair(ids_a, ids_b, special)


def pad(packed: Packed, seq_length: int) -> dict[str, list[int]]:
    """Returns the features of a sequence, each seq_length ints long.

    Args:
        packed: at most seq_length ids.
        seq_length: the length to fill up to, S.

    Returns:
        input_ids, input_mask (1 for a token, 0 for padding) and segment_ids.

    Raises:
        ValueError: the sequence is longer than seq_length.
    """
    ids, first_length = packed
    if len(ids) > seq_length:
        raise ValueError(
            f"Expected at most {seq_length} ids. Received: {len(ids)}."
        )
    padding = [0] * (seq_length - len(ids))
    second_length = len(ids) - first_length
    return {
        "input_ids": ids + padding,
        "input_mask": [1] * len(ids) + padding,
        "segment_ids": [0] * first_length + [1] * second_length + padding,
    }
