"""Does --do_lower_case fit the model? Its folder and vocabulary tell."""

import os
import re
from collections.abc import Iterable

from absl import logging

from bert.errors import UserError

# Models whose folder name tells the case: the seven that the original knows,
# the whole-word-masking ones and the 24 small ones (H / 64 heads).
_LOWERED_MODELS = frozenset(
    [
        "uncased_L-24_H-1024_A-16",
        "wwm_uncased_L-24_H-1024_A-16",
        "multilingual_L-12_H-768_A-12",
        "chinese_L-12_H-768_A-12",
    ]
    + [
        f"uncased_L-{num_layers}_H-{hidden_size}_A-{hidden_size // 64}"
        for num_layers in (2, 4, 6, 8, 10, 12)
        for hidden_size in (128, 256, 512, 768)
    ]
)
_CASED_MODELS = frozenset(
    [
        "cased_L-12_H-768_A-12",
        "cased_L-24_H-1024_A-16",
        "wwm_cased_L-24_H-1024_A-16",
        "multi_cased_L-12_H-768_A-12",
    ]
)
# The folder of a prefix (or of one of its files), else the folder itself.
_MODEL_NAME = re.compile(
    r"([A-Za-z0-9_-]+)[/\\]+bert_model\.ckpt|([A-Za-z0-9_-]+)[/\\]*$"
)

# A vocabulary with fewer tokens that have a case cannot tell which it is.
_MIN_CASE_TOKENS = 20
# Below this share of tokens with upper-case letters it is an uncased one.
_UNCASED_SHARE = 0.001


def validate_case_matches_checkpoint(
    do_lower_case: bool, init_checkpoint: str | os.PathLike[str] | None
) -> None:
    """Checks `do_lower_case` against the name of a published model's folder.

    Args:
        do_lower_case: whether the text will be lower-cased.
        init_checkpoint: a checkpoint as prefix, folder or file
            (`.../uncased_L-12_H-768_A-12/bert_model.ckpt[.index]`); None, ""
            and unknown names pass.

    Raises:
        UserError: the folder's model was trained the other way.
    """
    match = _MODEL_NAME.search(os.fspath(init_checkpoint or ""))
    name = match and (match[1] or match[2])
    if name not in (_CASED_MODELS if do_lower_case else _LOWERED_MODELS):
        return
    raise UserError(
        f"You passed in `--do_lower_case={bool(do_lower_case)}` with "
        f"`--init_checkpoint={init_checkpoint}`. However, `{name}` seems to be "
        f"a {'cased' if do_lower_case else 'lowercased'} model, so you should "
        f"pass in `--do_lower_case={not do_lower_case}`. If the folder holds "
        "another model, rename it."
    )


def warn_if_vocab_contradicts_case(
    vocab: Iterable[str], do_lower_case: bool, vocab_file: str = "vocabulary"
) -> None:
    """Logs one warning where the vocabulary has the other case.

    Uncased means that fewer than 0.1 % of the tokens change under `lower()`,
    special ones (`[CLS]`, `[unused0]`, `<S>`) aside. A vocabulary of less than
    20 tokens with letters that have a case cannot tell, and passes.

    Args:
        vocab: the tokens.
        do_lower_case: whether the text will be lower-cased.
        vocab_file: where the tokens come from, for the message.
    """
    is_uncased, num_upper, num_tokens = _case_of(vocab)
    if is_uncased in (None, bool(do_lower_case)):
        return
    effect = (
        "capital letters would become [UNK]"
        if is_uncased
        else "its pieces with capital letters would never be used"
    )
    logging.warning(
        "%s looks %s (%d of %d tokens have upper-case letters), but "
        "do_lower_case is %s: %s. Pass --do_lower_case=%s if "
        "this is not meant.",
        vocab_file,
        "uncased" if is_uncased else "cased",
        num_upper,
        num_tokens,
        bool(do_lower_case),
        effect,
        not do_lower_case,
    )


def is_uncased(vocab: Iterable[str]) -> bool | None:
    """Returns whether a vocabulary is one of lower-cased text.

    Args:
        vocab: the tokens.

    Returns:
        None where it cannot tell; see `warn_if_vocab_contradicts_case`.
    """
    return _case_of(vocab)[0]


def _case_of(vocab: Iterable[str]) -> tuple[bool | None, int, int]:
    """Returns `is_uncased`, the tokens with upper-case letters, all tokens."""
    tokens = [token for token in vocab if not re.match(r"\[.+]$|<.+>$", token)]
    num_upper = sum(token.lower() != token for token in tokens)
    if sum(t.lower() != t.upper() for t in tokens) < _MIN_CASE_TOKENS:
        return None, num_upper, len(tokens)
    is_uncased = num_upper < _UNCASED_SHARE * len(tokens)
    return is_uncased, num_upper, len(tokens)
