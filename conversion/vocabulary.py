"""The vocabulary of a BERT, as the text of vocab.txt."""

import json
import os
from collections.abc import Mapping, Sequence

from absl import logging

from bert.conversion import added_tokens
from bert.data.text import case_check
from bert.errors import UserError
from bert.files import text_input


def read_folder(
    folder: str, vocab_size: int, do_lower_case: bool | None
) -> bytes:
    """Returns the text of a folder's vocab.txt, or makes it.

    Args:
        folder: holds `vocab.txt`, or a `tokenizer.json` with word pieces.
        vocab_size: rows of the model's word table. Fewer tokens than that are
            only warned of: tables are often filled up.
        do_lower_case: whether text is lower-cased; None: the vocabulary tells.

    Returns:
        UTF-8, a token a line, with those that were added later
        (`added_tokens`); vocab.txt unchanged, if it has all.

    Raises:
        UserError: there is none, or it has more tokens than vocab_size.
    """
    path = os.path.join(folder, "vocab.txt")
    if os.path.exists(path):
        text = _read(path)
    else:
        path = os.path.join(folder, "tokenizer.json")
        if not os.path.exists(path):
            raise UserError(
                f"Expected vocab.txt or tokenizer.json in {folder}; it has "
                "neither. Get one of them from where the weights come from, or "
                "name the vocabulary (--vocab_file)."
            )
        text = _lines(_pieces(path, vocab_size), path)
    tokens = tokens_of(text)
    if do_lower_case is None:
        do_lower_case = case_check.is_uncased(tokens)
    merged = added_tokens.merge(tokens, folder, vocab_size, bool(do_lower_case))
    if merged != tokens:
        text = _lines(merged, path)
    _check_size(text, path, vocab_size)
    return text


def read_file(path: str, vocab_size: int) -> bytes:
    """Returns the text of a vocab.txt, unchanged.

    Args:
        path: the file.
        vocab_size: see `read_folder`.

    Raises:
        UserError: it cannot be read, is not UTF-8, or has more tokens than
            vocab_size.
    """
    text = _read(path)
    _check_size(text, path, vocab_size)
    return text


def tokens_of(text: bytes) -> list[str]:
    """Returns a vocabulary's tokens, as `data.text.tokenization` reads them."""
    lines = text.decode("utf-8").replace("\r", "").split("\n")
    return [line.strip() for line in (lines if lines[-1] else lines[:-1])]


def _check_size(text: bytes, path: str, vocab_size: int) -> None:
    num_tokens = len(tokens_of(text))
    if not 0 < num_tokens <= vocab_size:
        raise UserError(_wrong_size(path, num_tokens, vocab_size))
    if num_tokens < vocab_size:
        logging.warning(
            "%s has %d tokens, the word table %d rows; the last ones are kept "
            "and never used.",
            path,
            num_tokens,
            vocab_size,
        )


def _wrong_size(path: str, num_tokens: int, vocab_size: int) -> str:
    return (
        f"{path} must have at most as many tokens as the model's word table "
        f"has rows (vocab_size {vocab_size} in its configuration), and at "
        f"least one. Received: {num_tokens}."
    )


def _read(path: str) -> bytes:
    try:
        text = text_input.read(path)
        text.decode("utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line}: expected UTF-8 ({error.reason})."
        ) from error
    return text


def _lines(pieces: Sequence[str], path: str) -> bytes:
    try:
        return "".join(f"{piece}\n" for piece in pieces).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path} must hold pieces that can be written as UTF-8. Received: "
            f"{error.object[error.start]!a}, half of a character."
        ) from error


def _pieces(path: str, vocab_size: int) -> list[str]:
    """Returns the word pieces of a tokenizer.json, in the order of their ids.

    A piece with white space is in no word: it is "", as an id without a piece.

    Raises:
        UserError: they are no word pieces, or not numbered as they must be.
    """
    try:
        tokenizer = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from error
    model = tokenizer.get("model") if isinstance(tokenizer, Mapping) else None
    if (
        not isinstance(model, Mapping)
        or model.get("type") != "WordPiece"
        or model.get("continuing_subword_prefix") != "##"
        or not isinstance(model.get("vocab"), Mapping)
    ):
        raise UserError(
            f"{path} must hold a WordPiece model with the prefix ##, as BERT "
            "has it; without vocab.txt no other can be converted."
        )
    ids = list(model["vocab"].values())
    if not all(type(index) is int and index >= 0 for index in ids) or len(
        set(ids)
    ) < len(ids):
        raise UserError(
            f"{path} must number its pieces from 0, each with a number of its "
            "own, or they cannot be the lines of vocab.txt."
        )
    size = max(ids, default=-1) + 1
    if size > vocab_size:
        raise UserError(_wrong_size(path, size, vocab_size))
    pieces = [""] * size
    for piece, index in model["vocab"].items():
        pieces[index] = piece if piece.split() == [piece] else ""
    if empty := pieces.count(""):
        logging.info(
            "%s: %d ids have no piece, or one with white space; their lines "
            "in vocab.txt are empty.",
            path,
            empty,
        )
    return pieces
