"""How a vocabulary names the tokens that stand for no text.

Word pieces:  [CLS]   a [SEP]       b [SEP]       [MASK]  [UNK]
byte pairs:   _start_ a _delimiter_ b _classify_  _mask_  <unk>

All others speak of [CLS], [SEP] and [MASK], and mean either.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bert.errors import UserError


class SpecialTokens(NamedTuple):
    """The names in a vocabulary.

    Attributes:
        cls: begins a sequence.
        sep: stands between two texts.
        end: ends a sequence.
        mask: in the place of a word that is to be guessed.
        unk: in the place of what the vocabulary has not.
    """

    cls: str
    sep: str
    end: str
    mask: str
    unk: str


WORD_PIECES = SpecialTokens("[CLS]", "[SEP]", "[SEP]", "[MASK]", "[UNK]")
BYTE_PAIRS = SpecialTokens(
    "_start_", "_delimiter_", "_classify_", "_mask_", "<unk>"
)


def require(
    vocab: Mapping[str, int], tokens: Sequence[str], vocab_file: str
) -> None:
    """Raises UserError where a vocabulary lacks one of the tokens."""
    missing = [token for token in tokens if token not in vocab]
    if missing:
        raise UserError(
            f"{vocab_file}: expected {', '.join(tokens)} in the vocabulary, "
            f"one token a line; {', '.join(missing)} not found in its "
            f"{len(vocab)} tokens. Pass the vocab.txt that belongs to the "
            "model."
        )


def of(vocab: Mapping[str, int]) -> SpecialTokens:
    """Returns the names in a vocabulary; word pieces' where it has neither."""
    has_pairs = BYTE_PAIRS.cls in vocab and WORD_PIECES.cls not in vocab
    return BYTE_PAIRS if has_pairs else WORD_PIECES
