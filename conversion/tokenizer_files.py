"""What Hugging Face's tokenizer files say, and how to write them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.conversion.json_files import read_json
from bert.errors import UserError

CONFIG = "tokenizer_config.json"
TOKENIZER = "tokenizer.json"

# By the names of their keys. BERT here cannot do without the first three.
SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
_NEEDED_TOKENS = ("unk_token", "cls_token", "sep_token")


class TokenizerSettings(NamedTuple):
    """What the tokenizer files of a folder say.

    Attributes:
        do_lower_case: None where they do not say it.
        max_length: the longest sequence; None where they do not say it.
    """

    do_lower_case: bool | None
    max_length: int | None


def read_settings(folder: str) -> TokenizerSettings:
    """Returns what a Hugging Face folder says of its tokenizer.

    `tokenizer_config.json` counts before `tokenizer.json`. What the tokenizer
    here does otherwise is warned of.

    Raises:
        UserError: a file is no JSON object, or says something else than
            true or false.
    """
    values: dict[str, Any] = {}
    origin = os.path.join(folder, TOKENIZER)
    if os.path.exists(origin):
        normalizer = read_json(origin).get("normalizer")
        if isinstance(normalizer, Mapping):
            values = {
                "do_lower_case": normalizer.get("lowercase"),
                "strip_accents": normalizer.get("strip_accents"),
                "tokenize_chinese_chars": normalizer.get(
                    "handle_chinese_chars", True
                ),
            }
    path = os.path.join(folder, CONFIG)
    if os.path.exists(path):
        origin, values = path, {**values, **read_json(path)}
    lower_case = values.get("do_lower_case")
    if not isinstance(lower_case, bool | None):
        raise UserError(
            f"{origin}: do_lower_case must be true or false. Received: "
            f"{lower_case!r}."
        )
    _warn_of_differences(values, lower_case, origin)
    length = values.get("model_max_length")
    # Where there is none, Hugging Face writes about 1e30.
    sound = type(length) is int and 0 < length < 2**31
    return TokenizerSettings(lower_case, length if sound else None)


def _warn_of_differences(
    values: Mapping[str, Any], lower_case: bool | None, origin: str
) -> None:
    accents = values.get("strip_accents")
    if accents not in (None, lower_case):
        logging.warning(
            "%s has strip_accents %s and do_lower_case %s; the tokenizer here "
            "strips accents where it lower-cases, and only there.",
            origin,
            accents,
            lower_case,
        )
    if values.get("tokenize_chinese_chars", True) is not True:
        logging.warning(
            "%s has tokenize_chinese_chars %s; the tokenizer here always makes "
            "Chinese characters words of their own.",
            origin,
            values["tokenize_chinese_chars"],
        )


def settings_to_write(
    tokens: Sequence[str], do_lower_case: bool, max_length: int
) -> dict[str, Any]:
    """Returns what tokenizer_config.json is to hold.

    A special token that the vocabulary lacks is null: transformers would add
    it, with an id that the word table has no row for.

    Args:
        tokens: the vocabulary's.
        do_lower_case: whether text is lower-cased.
        max_length: the longest sequence.

    Raises:
        UserError: the vocabulary lacks [UNK], [CLS] or [SEP].
    """
    known = set(tokens)
    missing = [
        SPECIAL_TOKENS[key]
        for key in _NEEDED_TOKENS
        if SPECIAL_TOKENS[key] not in known
    ]
    if missing:
        raise UserError(
            "The vocabulary must have [UNK], [CLS] and [SEP]. It lacks "
            f"{', '.join(missing)}; name the model's own (--vocab_file)."
        )
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": do_lower_case,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "model_max_length": max_length,
        **{
            key: token if token in known else None
            for key, token in SPECIAL_TOKENS.items()
        },
    }
