"""Is a Hugging Face tokenizer BERT's? Other ones give texts other ids."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from absl import logging

from bert.conversion.json_files import read_json
from bert.conversion.tokenizer_files import CONFIG, SPECIAL_TOKENS, TOKENIZER
from bert.errors import UserError

# The classes that tokenize as BERT does; those that leave it to tokenizer.json.
_BERT = re.compile(
    "(Bert|ConvBert|DistilBert|Electra|LayoutLM|Lxmert|MobileBert|Realm"
    "|RetriBert|Splinter|SqueezeBert)Tokenizer(Fast)?"
)
_GENERAL = re.compile("PreTrainedTokenizer(Fast)?|TokenizersBackend")
# The parts of a tokenizer.json that decide where a text is cut.
_PARTS = {"normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}
# Settings of the tokenizers' classes → the values that are BERT's.
_SETTINGS: Mapping[str, tuple[object, ...]] = {
    "do_basic_tokenize": (True, None),
    "never_split": ([], None),
    "word_tokenizer_type": ("basic", None),
    "subword_tokenizer_type": ("wordpiece", None),
}


def check(folder: str, force: bool) -> None:
    """Refuses, or warns of, a tokenizer that cuts texts otherwise than BERT's.

    Args:
        folder: holds `tokenizer.json`, `tokenizer_config.json`, both or none.
        force: whether to warn only.

    Raises:
        UserError: it is another one.
    """
    differences = [*_of_parts(folder), *_of_settings(folder)]
    if not differences:
        return
    if not force:
        raise UserError(
            f"{folder}: expected the tokenizer of BERT; with another one texts "
            f"have other ids. Received: {differences[0]}. --force converts "
            "the weights all the same."
        )
    logging.warning(
        "%s: the tokenizer is not BERT's (%s); the one here gives other ids "
        "than the model was trained with.",
        folder,
        "; ".join(differences),
    )


def _of_parts(folder: str) -> Iterator[str]:
    """Yields what of tokenizer.json is not BERT's."""
    path = os.path.join(folder, TOKENIZER)
    if not os.path.exists(path):
        return
    values = read_json(path)
    for part, expected in _PARTS.items():
        found = _types(values[part]) if part in values else [expected]
        if found != [expected]:
            yield f"{part} {', '.join(found) or 'none'}"
    model = values.get("model")
    kind = model.get("type") if isinstance(model, Mapping) else None
    if kind not in (None, "WordPiece"):
        yield f"model {kind!r}"


def _types(part: object) -> list[str]:
    """Returns the types of a part and, of a sequence, of those in it."""
    if not isinstance(part, Mapping):
        return []
    if part.get("type") != "Sequence":
        return [str(part.get("type"))]
    inner = part.get("normalizers", part.get("pretokenizers"))
    parts = inner if isinstance(inner, list) else []
    return [name for each in parts for name in _types(each)]


def _of_settings(folder: str) -> Iterator[str]:
    """Yields what of tokenizer_config.json is not BERT's."""
    path = os.path.join(folder, CONFIG)
    values = read_json(path) if os.path.exists(path) else {}
    # Where old models say it.
    model = read_json(os.path.join(folder, "config.json"))
    name = values.get("tokenizer_class") or model.get("tokenizer_class")
    is_general = _GENERAL.fullmatch(str(name)) and os.path.exists(
        os.path.join(folder, TOKENIZER)
    )
    if name and not is_general and not _BERT.fullmatch(str(name)):
        yield f"tokenizer_class {name!r}"
    for key, expected in _SETTINGS.items():
        if key in values and values[key] not in expected:
            yield f"{key} {values[key]!r}"
    for key, expected_token in SPECIAL_TOKENS.items():
        found = _text(values.get(key, expected_token))
        if found not in (None, expected_token):
            yield f"{key} {found!r}"


def _text(token: Any) -> object:
    """Returns the text of a special token, which may be an object."""
    return token.get("content") if isinstance(token, Mapping) else token
