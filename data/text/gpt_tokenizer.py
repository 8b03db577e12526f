"""Text to byte pairs and ids, as OpenAI's first GPT has them.

    text --ftfy--> mended text --clean-up--> --spaCy--> words, lower-cased
    --merges--> pieces --vocabulary--> ids

A word's last piece ends with `</w>`. spaCy looks beyond spaces, so that a text
is tokenized as a whole; the pieces of a word are remembered.

ftfy and spaCy (its English rules; no model) are extras: requirements-gpt.txt.

Source: Radford et al. 2018, section 4.1; Sennrich et al. 2016, section 3.2;
text_utils.py of openai/finetune-transformer-lm.
"""

import functools
import importlib.metadata
import importlib.util
import itertools
import json
import os
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from bert.data.text import special_tokens
from bert.data.text.tokenization import FullTokenizer
from bert.data.text.tokenizers import kept_files
from bert.data.text.vocab import Vocab
from bert.data.text.word_memory import WordMemory
from bert.errors import UserError, one_line
from bert.files import text_input

_EXTRAS = ("ftfy", "spacy")
_END = "</w>"
_WORDS_LIMIT_BYTES = 80_000_000
_NAMES = special_tokens.BYTE_PAIRS
# The order of their ids, which follow those of the pieces.
SPECIAL_TOKENS = (_NAMES.cls, _NAMES.sep, _NAMES.end, _NAMES.mask)

_CHARACTERS = str.maketrans(
    {"—": "-", "–": "-", "―": "-", "…": "...", "´": "'"}
)
# Runs that get spaces round them. No backslash: the original's pattern means
# one, but says a plus sign.
_RUNS = re.compile("|".join(f"{re.escape(c)}+" for c in '-~!";?+,)(/*[]}{|_'))
_LINE_END = re.compile(r"\s*\n\s*")
_SPACES = re.compile(r"[^\S\n]+")


def load_vocab(vocab_file: str | os.PathLike[str]) -> Vocab:
    """Reads a vocabulary, and adds the special tokens to its end.

    Args:
        vocab_file: `encoder_bpe_40000.json`, a JSON object: piece → id.

    Returns:
        Token to id.

    Raises:
        UserError: the file cannot be read, or is no such object.
    """
    path = os.fspath(vocab_file)
    try:
        vocab = Vocab(json.loads(_read(path, "a vocabulary of byte pairs")))
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_vocabulary(path, one_line(error, 80)) from error
    ids = list(vocab.values())
    if not all(type(i) is int for i in ids) or sorted(ids) != [
        *range(len(ids))
    ]:
        raise _no_vocabulary(path, "other values")
    if _NAMES.unk not in vocab:
        raise _no_vocabulary(path, f"none for {_NAMES.unk}")
    for token in SPECIAL_TOKENS:
        vocab.setdefault(token, len(vocab))
    return vocab


def load_merges(merges_file: str) -> dict[tuple[str, str], int]:
    """Reads which pairs are joined.

    Args:
        merges_file: `vocab_40000.bpe`: a line that says the version, then a
            pair a line, those that are joined first come first.

    Returns:
        The number of each pair's line.

    Raises:
        UserError: the file cannot be read, or has other lines.
    """
    lines = _read(merges_file, "the merges of byte pairs").split("\n")[1:]
    if lines and not lines[-1]:  # after the last line's end
        lines.pop()
    merges = {}
    for number, line in enumerate(lines):
        pair = line.split()
        if len(pair) != 2:
            raise UserError(
                f"{merges_file}, line {number + 2}: expected two pieces with a "
                f"space between. Received: {line[:60]!r}; get the file that "
                "belongs to the vocabulary."
            )
        merges[pair[0], pair[1]] = number
    return merges


def _read(path: str, what: str) -> str:
    try:
        return text_input.read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: expected {what} in UTF-8; it is not ({error.reason})."
        ) from error
    except OSError as error:
        raise UserError(
            f"Expected {what}; cannot read {path}: {error.strerror or error}."
        ) from error


def _no_vocabulary(path: str, received: str) -> UserError:
    return UserError(
        f"{path}: expected a JSON object with the ids of byte pairs, from 0 "
        f"without a gap. Received: {received}; get the file that belongs to "
        "the model."
    )


def standardize(text: str) -> str:
    """Returns a text with plain marks, apart from words, and plain spaces."""
    text = _RUNS.sub(r" \g<0> ", text.translate(_CHARACTERS))
    text = _LINE_END.sub(" \n ", text)
    return _SPACES.sub(" ", text).strip()


class GptTokenizer(FullTokenizer):
    """Text to byte pairs, of which those of a word are remembered.

    Args:
        vocab_file: see `load_vocab`; the merges stand beside it.
        do_lower_case: must be true.

    Attributes:
        vocab: token to id.
        inv_vocab: id to token.

    Raises:
        UserError: a file cannot be read, or a package is missing, or text is
            not to be lower-cased.
    """

    def __init__(
        self, vocab_file: str | os.PathLike[str], do_lower_case: bool = True
    ) -> None:
        self.vocab_file = os.fspath(vocab_file)
        self.vocab = load_vocab(vocab_file)
        self.inv_vocab = {index: token for token, index in self.vocab.items()}
        *_, merges_file = kept_files(self.vocab_file).values()
        self._ranks = load_merges(merges_file)
        if not do_lower_case:
            raise UserError(
                f"{self.vocab_file} is of lower-cased text alone. Received: "
                "--do_lower_case=False; leave it out."
            )
        for name in _EXTRAS:
            if importlib.util.find_spec(name) is None:
                raise UserError(
                    f"The tokenizer of GPT needs the package {name}, which is "
                    "not installed: pip install -r requirements-gpt.txt."
                )
        self._pieces_of_words = WordMemory(self._merged, _WORDS_LIMIT_BYTES)

    @property
    def steps(self) -> object:
        """What decides the pieces of a text, beside the vocabulary."""
        return self._ranks, *map(importlib.metadata.version, _EXTRAS)

    @functools.cached_property
    def _mend_and_split(self) -> tuple[Callable, Callable]:
        # Here, since importing them takes seconds.
        import ftfy
        import spacy

        return ftfy.fix_text, spacy.blank("en").tokenizer

    def words(self, text: str) -> list[str]:
        """Returns the words of a text, lower-cased."""
        mend, split = self._mend_and_split
        return [token.text.lower() for token in split(standardize(mend(text)))]

    def _cut(self, text: str) -> list[str]:
        pieces = map(self._pieces_of_words.__getitem__, self.words(text))
        return list(itertools.chain.from_iterable(pieces))

    def _merged(self, word: str) -> tuple[str, ...]:
        """Returns a word's pieces; what the vocabulary has not is `<unk>`."""
        pieces = [*word[:-1], word[-1] + _END]
        while len(pieces) > 1:
            pair = min(itertools.pairwise(pieces), key=self._rank)
            if pair not in self._ranks:
                break
            pieces = _joined(pieces, pair)
        if pieces == ["\n", " " + _END]:
            pieces = ["\n" + _END]
        return tuple(
            piece if piece in self.vocab else _NAMES.unk
            # A piece with a space in it is two, as in the original.
            for piece in " ".join(pieces).split(" ")
        )

    def _rank(self, pair: tuple[str, str]) -> float:
        return self._ranks.get(pair, float("inf"))

    def _may_remember(self) -> bool:
        return False  # of a word between spaces: the text round it counts

    def _compute_offsets(self, word: str) -> NoReturn:
        self.require_offsets()

    def require_offsets(self) -> NoReturn:
        """Raises UserError: it is never known."""
        raise UserError(
            "Byte pairs are made of mended text, so that it is not known where "
            "they stand in a text, which questions on paragraphs need. "
            f"Received: {self.vocab_file}; take a model with word pieces."
        )


def _joined(pieces: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """Returns pieces, each `pair` of them as one, from the left."""
    joined: list[str] = []
    place = 0
    while place < len(pieces):
        size = 2 if tuple(pieces[place : place + 2]) == pair else 1
        joined.append("".join(pieces[place : place + size]))
        place += size
    return joined
