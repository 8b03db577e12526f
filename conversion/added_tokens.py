"""Tokens that were added to a Hugging Face tokenizer after it was made.

They have ids behind the vocabulary's, or in its gaps, and are found in a text
before it is cut into words.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.conversion.json_files import read_json
from bert.conversion.tokenizer_files import CONFIG, SPECIAL_TOKENS, TOKENIZER
from bert.data.text.tokenization import BasicTokenizer, WordpieceTokenizer
from bert.errors import UserError
from bert.modeling import checkpoint_names

_OLD_FILE = "added_tokens.json"


class _Token(NamedTuple):
    """An added token.

    Attributes:
        text: what is found.
        is_normalized: whether it is found in the text that is lower-cased.
        is_word: whether it is found between words only.
    """

    text: str
    is_normalized: bool
    is_word: bool


def merge(
    pieces: Sequence[str], folder: str, vocab_size: int, do_lower_case: bool
) -> list[str]:
    """Returns a vocabulary with a folder's added tokens in their places.

    Whole words that the tokenizer here finds are words of the vocabulary then.
    The others keep their row in the word table, and a warning names them.

    Args:
        pieces: the vocabulary, by id; "" where there is none.
        folder: holds the tokenizer's files.
        vocab_size: rows of the word table.
        do_lower_case: whether text is lower-cased here.

    Raises:
        UserError: an id is no row of the word table, or another piece's.
    """
    merged = list(pieces)
    basic = BasicTokenizer(do_lower_case)
    inside, lost = [], []
    for index, token in sorted(_read(folder).items()):
        if index < len(merged) and merged[index] == token.text:
            continue
        if not 0 <= index < vocab_size:
            raise UserError(
                f"{folder}: the added token {_short(token.text)} has the id "
                f"{index}, and the word table {vocab_size} rows; take the "
                "tokenizer that belongs to the weights."
            )
        merged += [""] * (index + 1 - len(merged))
        word = _word(token, basic)
        if merged[index] not in ("", word):
            raise UserError(
                f"{folder}: the added token {_short(token.text)} has the id "
                f"{index} of another piece, {_short(merged[index])}."
            )
        named = f"{_short(token.text)} ({index})"
        if word is None:
            lost.append(named)
            merged[index] = _line(token.text)
        else:
            merged[index] = word
            if not token.is_word and word not in SPECIAL_TOKENS.values():
                inside.append(named)
    if inside:
        logging.warning(
            "%s: added tokens that are words of the vocabulary now, and no "
            "longer found inside of longer words: %s",
            folder,
            checkpoint_names.some(inside),
        )
    if lost:
        logging.warning(
            "%s: added tokens that the tokenizer here cuts into pieces, as it "
            "does all text, so that ids differ where they stand: %s",
            folder,
            checkpoint_names.some(lost),
        )
    return merged


def _word(token: _Token, basic: BasicTokenizer) -> str | None:
    """Returns the word that is found here for a token, or None."""
    if token.text in SPECIAL_TOKENS.values():
        return token.text
    words = basic.tokenize(token.text)
    if len(words) != 1 or token.text.split() != [token.text]:
        return None
    if words != [token.text] and not token.is_normalized:
        return None
    # Unless it is too long.
    found = WordpieceTokenizer(dict.fromkeys(words, 0)).tokenize(words[0])
    return words[0] if found == words else None


def _line(text: str) -> str:
    """Returns how a token stands in vocab.txt that no text must have."""
    is_piece = text.startswith("##") or text.split() != [text]
    return "" if is_piece else text


def _read(folder: str) -> dict[int, _Token]:
    """Returns the added tokens by id; of several files the newest counts."""
    found: dict[int, _Token] = {}
    for path, index, values in _entries(folder):
        text = values.get("content")
        if type(index) is not int or not isinstance(text, str):
            raise UserError(
                f"{path}: expected added tokens, each with an id and a text. "
                f"Received: {str({**values, 'id': index})[:80]}."
            )
        found.setdefault(
            index,
            _Token(
                text,
                values.get("normalized", True) is True,
                values.get("single_word", False) is True,
            ),
        )
    return found


def _entries(
    folder: str,
) -> Iterator[tuple[str, object, Mapping[str, Any]]]:
    """Yields (file, id, what is said of the token)."""
    path = os.path.join(folder, TOKENIZER)
    if os.path.exists(path):
        for values in _list(read_json(path).get("added_tokens"), path):
            yield path, values.get("id"), values
    path = os.path.join(folder, CONFIG)
    if os.path.exists(path):
        decoder = read_json(path).get("added_tokens_decoder")
        if isinstance(decoder, Mapping):
            for index, values in decoder.items():
                is_id = index.isdecimal() and len(index) < 10
                number = int(index) if is_id else index
                yield path, number, values if _is_object(values) else {}
    path = os.path.join(folder, _OLD_FILE)
    if os.path.exists(path):
        for text, number in read_json(path).items():
            yield path, number, {"content": text}


def _list(values: object, path: str) -> Sequence[Mapping[str, Any]]:
    if values is None:
        return []
    if not isinstance(values, list) or not all(map(_is_object, values)):
        raise UserError(
            f"{path}: added_tokens must be a list of objects. Received: "
            f"{str(values)[:80]}."
        )
    return values


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _short(text: str) -> str:
    return repr(text[:40] + "…" if len(text) > 40 else text)
