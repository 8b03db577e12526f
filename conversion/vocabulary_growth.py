"""New words in a trained model: a row of the word table for each.

A row begins as the mean of the rows of the pieces that the word was cut into
(as IndoBERTweet does: Koto et al. 2021); so does its bias in the masked
language model. Their moments are zero, as at the start of a training.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bert.data.text.tokenization import BasicTokenizer, WordpieceTokenizer
from bert.errors import UserError

_TABLE = "embeddings/word_embeddings"
# Of the masked language model, by word.
BIAS = "cls/predictions/output_bias"
_SLOTS = ("/adam_m", "/adam_v")
_UNUSED = re.compile(r"\[unused\d+\]")
_INSIDE = "##"


class Growth(NamedTuple):
    """Where new tokens go.

    Attributes:
        tokens: the whole vocabulary, by its ids.
        pieces: by the id of a new token the ids that it was cut into.
    """

    tokens: list[str]
    pieces: dict[int, list[int]]


def check_token(token: str, do_lower_case: bool) -> None:
    """Raises UserError where no text would ever give this token."""
    word = token.removeprefix(_INSIDE)
    found = BasicTokenizer(do_lower_case).tokenize(word)
    if found != [word] or len(word) > 200:
        what = " ".join(found)[:60] or "nothing"
        raise UserError(
            "expected a word as the tokenizer makes it (of at most 200 "
            f"characters). Received: {token[:60]!r}, of which it makes "
            f"{what!r}."
        )


def grow(
    tokens: Sequence[str], new: Iterable[str], *, may_use_unused: bool
) -> Growth:
    """Places new tokens; those that are there already are left out.

    Args:
        tokens: the vocabulary, by its ids.
        new: the tokens, of `check_token`.
        may_use_unused: whether `[unused0]` … are replaced, in the order of
            their ids, before the vocabulary gets longer.
    """
    known = {token: index for index, token in enumerate(tokens)}
    cut = WordpieceTokenizer(known)
    free = [i for i, token in enumerate(tokens) if _UNUSED.fullmatch(token)]
    places = iter(free if may_use_unused else ())
    grown, pieces = [*tokens], {}
    for token in dict.fromkeys(new):
        if token in known:
            continue
        index = next(places, len(grown))
        grown[index : index + 1] = [token]
        pieces[index] = [known[piece] for piece in _cut(cut, token, known)]
    return Growth(grown, pieces)


def _cut(
    tokenizer: WordpieceTokenizer, token: str, known: Mapping[str, int]
) -> list[str]:
    """Returns the pieces of a token, of which some may be inside a word."""
    word = token.removeprefix(_INSIDE)
    if word == token:
        return tokenizer.tokenize(word)
    # What begins inside a word: as if a character stood before it.
    pieces, rest = [], token
    while rest != _INSIDE:
        found = next(
            (
                rest[:end]
                for end in range(len(rest), 2, -1)
                if rest[:end] in known
            ),
            None,
        )
        if found is None:
            return [tokenizer.unk_token]
        pieces.append(found)
        rest = _INSIDE + rest[len(found) :]
    return pieces


def grow_tensors(
    tensors: Mapping[str, np.ndarray], growth: Growth
) -> dict[str, np.ndarray]:
    """Returns a checkpoint's tensors with rows for the new tokens.

    Args:
        tensors: by their names, Adam's moments may be among them.
        growth: of `grow`.
    """
    grown = dict(tensors)
    for name, value in tensors.items():
        weight = next(
            (name.removesuffix(x) for x in _SLOTS if name.endswith(x)), name
        )
        if not (weight.endswith(_TABLE) or weight == BIAS):
            continue
        num_more = max(0, len(growth.tokens) - len(value))
        rows = np.concatenate([value, np.zeros([num_more, *value.shape[1:]])])
        for index, pieces in growth.pieces.items():
            is_slot = weight != name
            rows[index] = 0 if is_slot else value[pieces].mean(axis=0)
        grown[name] = rows.astype(value.dtype)
    return grown
