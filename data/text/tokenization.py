"""Text to word pieces and ids, exactly as the original tokenizes.

    text --BasicTokenizer--> words and punctuation --WordpieceTokenizer-->
    pieces --vocabulary--> ids

Both steps work inside one whitespace-separated word and never look beyond it:
lower-casing (a final sigma), the reordering of accents and the split at
punctuation all end at a space. So `FullTokenizer` remembers the ids of the
words it has met, and a text costs about one look-up a word. It steps aside, and
tokenizes each text as a whole, where a step is somebody else's.

Imports neither TensorFlow nor NumPy.
"""

import collections
import itertools
import os
import re
import sys
import unicodedata
from collections.abc import Container, Hashable, Iterable, Mapping

from absl import logging

from bert.data.text import characters, offsets, special_tokens, tokenizers
from bert.data.text.case_check import (
    validate_case_matches_checkpoint as validate_case_matches_checkpoint,
)
from bert.data.text.case_check import warn_if_vocab_contradicts_case
from bert.data.text.vocab import Vocab, Watched
from bert.data.text.word_memory import WordMemory
from bert.errors import UserError
from bert.files import text_input

# A FullTokenizer remembers less than 200 MB: words with ids, words with pieces,
# words with ranges, and five tables of characters of at most 5 MB.
_WORDS_LIMIT_BYTES = 80_000_000
_OFFSETS_LIMIT_BYTES = 15_000_000

# What is before one of these has the same ids whatever follows: a space, or a
# CJK ideograph, round which the tokenizer puts spaces. Not all there are.
_WORD_END = re.compile("[ \t\n\u3400-\u4dbf\u4e00-\u9fff]")
# Of most texts enough for one.
_CHARS_OF_AN_ID = 8


def convert_to_unicode(text: str | bytes) -> str:
    """Returns `text` as str; bytes are UTF-8, invalid ones are left out.

    Raises:
        ValueError: neither str nor bytes.
    """
    if isinstance(text, str):
        return text
    if isinstance(text, bytes):
        return text.decode("utf-8", "ignore")
    raise ValueError(f"Unsupported string type: {type(text)}")


def printable_text(text: str | bytes) -> str:
    """Returns `text` as print and logging want it: `convert_to_unicode`."""
    return convert_to_unicode(text)


def load_vocab(
    vocab_file: str | os.PathLike[str],
) -> collections.OrderedDict[str, int]:
    """Reads a vocabulary: one token a line, stripped; its id is its line.

    Of equal lines the last one counts, and a warning names them.

    Args:
        vocab_file: a UTF-8 file; a path with a scheme (`gs://`) is read
            through TensorFlow.

    Returns:
        Token to id (from 0), in the order of the file.

    Raises:
        UserError: the file cannot be read or is not UTF-8.
    """
    path = os.fspath(vocab_file)
    lines = _read_text(path).replace("\r", "").split("\n")
    if not lines[-1]:  # after the last line's end
        lines.pop()
    vocab: collections.OrderedDict[str, int] = collections.OrderedDict()
    duplicates = []
    for index, line in enumerate(lines):
        token = line.strip()
        if token in vocab:
            duplicates.append((token, vocab[token] + 1, index + 1))
        vocab[token] = index
    if duplicates:
        logging.warning(
            "%s: %d duplicate line(s), of which the last counts: %s%s",
            path,
            len(duplicates),
            ", ".join(
                f"{t!r} (lines {a} and {b})" for t, a, b in duplicates[:5]
            ),
            ", ..." if len(duplicates) > 5 else "",
        )
    return vocab


def _read_text(path: str) -> str:
    """Returns a local or remote UTF-8 file's text, or raises UserError."""
    try:
        data = text_input.read(path)
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line}: expected a vocabulary in UTF-8, found the "
            f"byte 0x{data[error.start]:02x} ({error.reason}); convert the "
            "file to UTF-8 or pass the model's own vocab.txt."
        ) from error
    except OSError as error:
        raise UserError(
            f"Expected a vocabulary file, one token a line; cannot read "
            f"{path}: {error.strerror or error}. Check --vocab_file."
        ) from error


def convert_by_vocab(vocab: Mapping, items: Iterable[Hashable]) -> list:
    """Returns `vocab[item]` of every item; KeyError where one is missing."""
    return [vocab[item] for item in items]


def convert_tokens_to_ids(
    vocab: Mapping[str, int], tokens: Iterable[str]
) -> list[int]:
    """Returns the tokens' ids; KeyError for a token not in `vocab`."""
    return convert_by_vocab(vocab, tokens)


def convert_ids_to_tokens(
    inv_vocab: Mapping[int, str], ids: Iterable[int]
) -> list[str]:
    """Returns the ids' tokens; KeyError for an id not in `inv_vocab`."""
    return convert_by_vocab(inv_vocab, ids)


def whitespace_tokenize(text: str) -> list[str]:
    """Returns the words between runs of whitespace (`str.split`)."""
    return text.split()


def checked_tokenizer(
    vocab_file: str | os.PathLike[str], do_lower_case: bool
) -> "FullTokenizer":
    """Returns the tokenizer of a command, whose vocabulary can be used.

    Args:
        vocab_file: see `FullTokenizer`.
        do_lower_case: see `FullTokenizer`.

    Raises:
        UserError: it cannot be read, or lacks `[UNK]`, `[CLS]` or `[SEP]`.
    """
    tokenizer = tokenizers.make(vocab_file, do_lower_case)
    names = special_tokens.of(tokenizer.vocab)
    tokenizer.require_tokens(names.unk, names.cls, names.sep)
    return tokenizer


class _Remembered:
    """What a `FullTokenizer` has remembered words with.

    Attributes:
        changes: `Watched.changes` when that was looked at.
        parts: see `FullTokenizer._own_parts`.
    """

    def __init__(self) -> None:
        self.changes = -1
        self.parts: tuple | None = None


class FullTokenizer(Watched):
    """Text to word pieces: `BasicTokenizer`, then `WordpieceTokenizer`.

    Remembers words' ids and pieces, in at most 200 MB, while `vocab` and the
    two tokenizers are its own; a change of them is noticed. With others in
    their place `tokenize` calls these for each text.

    Args:
        vocab_file: see `load_vocab`.
        do_lower_case: whether to lower-case the text and strip its accents; a
            vocabulary that contradicts it is warned of.

    Attributes:
        vocab: token to id.
        inv_vocab: id to token.
        basic_tokenizer: the `BasicTokenizer`.
        wordpiece_tokenizer: the `WordpieceTokenizer`.

    Raises:
        UserError: the vocabulary cannot be read.

    Source: Devlin et al. 2019, section 3; Wu et al. 2016, section 4.1.
    """

    def __init__(
        self, vocab_file: str | os.PathLike[str], do_lower_case: bool = True
    ) -> None:
        self.vocab_file = os.fspath(vocab_file)
        self.vocab: dict[str, int] = Vocab(load_vocab(vocab_file))
        self.inv_vocab = {index: token for token, index in self.vocab.items()}
        warn_if_vocab_contradicts_case(
            self.vocab, do_lower_case, self.vocab_file
        )
        self.basic_tokenizer = BasicTokenizer(do_lower_case=do_lower_case)
        self.wordpiece_tokenizer = WordpieceTokenizer(vocab=self.vocab)
        self._ids_of_words = WordMemory(self._compute_ids, _WORDS_LIMIT_BYTES)
        self._pieces_of_words = WordMemory(
            self._compute_pieces, _WORDS_LIMIT_BYTES
        )
        self._offsets_of_words = WordMemory(
            self._compute_offsets, _OFFSETS_LIMIT_BYTES
        )
        self._remembered = _Remembered()

    @property
    def steps(self) -> object:
        """What decides the pieces of a text, beside the vocabulary."""
        return self.basic_tokenizer.do_lower_case

    def require_tokens(self, *tokens: str) -> None:
        """Raises UserError where the vocabulary lacks one of the tokens."""
        special_tokens.require(self.vocab, tokens, self.vocab_file)

    def check_fits(self, vocab_size: int, config_file: str) -> None:
        """Raises UserError where a model has fewer rows than there are ids.

        Args:
            vocab_size: the model's.
            config_file: where that stands; for the message.
        """
        size = max(self.inv_vocab) + 1
        if size > vocab_size:
            raise UserError(
                f"{self.vocab_file} has {size} tokens, but vocab_size in "
                f"{config_file} is {vocab_size}; pass the vocab.txt that "
                "belongs to the model."
            )

    def tokenize(self, text: str | bytes) -> list[str]:
        """Returns the text's word pieces.

        Args:
            text: any text; bytes are UTF-8. `[CLS]` and the like in it are
                split as other text is.

        Raises:
            ValueError: neither str nor bytes.
        """
        if not isinstance(text, str):
            text = convert_to_unicode(text)
        if self._may_remember():
            return self._pieces_of_words.values_of_text(text)
        return self._cut(text)

    def encode(self, text: str | bytes, limit: int | None = None) -> list[int]:
        """Returns `convert_tokens_to_ids(tokenize(text))`, the fast way.

        Args:
            text: as of `tokenize`.
            limit: how many of the first ids to return; None: all.
        """
        if not isinstance(text, str):
            text = convert_to_unicode(text)
        if limit is not None:
            return self._encode_start(text, limit)
        if self._may_remember():
            return self._ids_of_words.values_of_text(text)
        return convert_by_vocab(self.vocab, self._cut(text))

    def _encode_start(self, text: str, limit: int) -> list[int]:
        """Returns the first ids, mostly without a look at the whole text."""
        size = limit * _CHARS_OF_AN_ID
        while size < len(text) and self._may_remember():
            end = _WORD_END.search(text, size)
            if end is None:
                break
            ids = self._ids_of_words.values_of_text(text[: end.start()])
            if len(ids) >= limit:
                return ids[:limit]
            size = 2 * end.start()
        return self.encode(text)[:limit]

    def encode_words(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Returns `tuple(encode(word))` of each, quicker than one by one.

        Args:
            words: short texts; most have no spaces.
        """
        if self._may_remember():
            return list(map(self._ids_of_words.__getitem__, words))
        return [tuple(self.encode(word)) for word in words]

    def encode_with_offsets(
        self, text: str | bytes
    ) -> tuple[list[int], list[tuple[int, int]]]:
        """Returns `encode(text)` and where each piece stands in the text.

        Returns:
            The ids; and by id the range [start, end) of the characters of
            `text` (of bytes: once decoded) that the piece is from. See
            `data.text.offsets` for what belongs to a piece.

        Raises:
            UserError: see `word_offsets`.
        """
        text = convert_to_unicode(text)
        ids: list[int] = []
        ranges: list[tuple[int, int]] = []
        matches = list(offsets.WORD.finditer(text))
        words = [match[0] for match in matches]
        ids += itertools.chain.from_iterable(self.encode_words(words))
        for match, places in zip(
            matches, self.word_offsets(words), strict=True
        ):
            ranges += offsets.shifted_pairs(places, match.start())
        return ids, ranges

    def require_offsets(self) -> None:
        """Raises UserError where it is never known where pieces stand."""

    def word_offsets(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Returns where the pieces of `encode_words` stand in each word.

        Args:
            words: see `encode_words`.

        Returns:
            By word: start, end, start, end, ... of its pieces, in characters
            of the word.

        Raises:
            UserError: a subclass has changed the steps of the tokenizer, so
                that this is not known.
        """
        if self._may_remember():
            return list(map(self._offsets_of_words.__getitem__, words))
        return list(map(self._compute_offsets, words))

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Returns the tokens' ids; KeyError for an unknown token."""
        return convert_by_vocab(self.vocab, tokens)

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Returns the ids' tokens; KeyError for an unknown id."""
        return convert_by_vocab(self.inv_vocab, ids)

    def _may_remember(self) -> bool:
        """Whether a word's ids are those of the word alone, whatever its text.

        Forgets them where one of its own parts has changed.
        """
        remembered = self._remembered
        if remembered.changes != Watched.changes:
            remembered.changes = Watched.changes
            parts = self._own_parts()
            if parts != remembered.parts:
                self._ids_of_words.forget()
                self._pieces_of_words.forget()
                self._offsets_of_words.forget()
                remembered.parts = parts
        return remembered.parts is not None

    def _own_parts(self) -> tuple | None:
        """Returns what a word's ids depend on; None: on others' code."""
        basic, cut = self.basic_tokenizer, self.wordpiece_tokenizer
        vocab = self.vocab
        if not (
            type(vocab) is Vocab
            and type(cut) is WordpieceTokenizer
            and cut.vocab is vocab
            and type(basic) is BasicTokenizer
            and basic.has_plain_steps
            and "tokenize" not in basic.__dict__
            and "tokenize" not in cut.__dict__
        ):
            return None
        return (
            id(vocab),
            vocab.changes,
            basic.do_lower_case,
            cut.unk_token,
            cut.max_input_chars_per_word,
        )

    def _cut(self, text: str) -> list[str]:
        """Does what `tokenize` says, remembering nothing."""
        pieces: list[str] = []
        for token in self.basic_tokenizer.tokenize(text):
            pieces += self.wordpiece_tokenizer.tokenize(token)
        return pieces

    def _compute_ids(self, word: str) -> tuple[int, ...]:
        return tuple(convert_by_vocab(self.vocab, self._cut(word)))

    def _compute_pieces(self, word: str) -> tuple[str, ...]:
        # Equal strings as one object: those cut from the word are copies.
        return tuple(map(sys.intern, self._cut(word)))

    def _compute_offsets(self, word: str) -> tuple[int, ...]:
        return offsets.piece_offsets(
            word,
            self.basic_tokenizer.tokenize(word),
            self._cut(word),
            self.basic_tokenizer.do_lower_case,
        )


class BasicTokenizer(Watched):
    """Cleans a text and splits it into words and punctuation marks.

    A subclass may override the steps (`_clean_text` …) as in the original: they
    are called where one of them is not the one below, which say the same as
    the tables that `tokenize` uses else.

    Args:
        do_lower_case: whether to lower-case and to strip accents.
    """

    def __init__(self, do_lower_case: bool = True) -> None:
        self.do_lower_case = do_lower_case

    def tokenize(self, text: str | bytes) -> list[str]:
        """Returns the text's words and punctuation marks.

        Drops U+0000, U+FFFD, control and format characters; every CJK
        ideograph and every punctuation character is a token of its own.

        Raises:
            ValueError: neither str nor bytes.
        """
        if not self.has_plain_steps:
            return self._tokenize_by_steps(convert_to_unicode(text))
        text = convert_to_unicode(text).translate(characters.CLEAN)
        if not self.do_lower_case:
            return text.translate(characters.SPLIT).split()
        text = unicodedata.normalize("NFD", text.lower())
        return text.translate(characters.STRIP_AND_SPLIT).split()

    @property
    def has_plain_steps(self) -> bool:
        """Whether all steps are those of this class."""
        own = type(self)
        steps = (
            own._clean_text,
            own._tokenize_chinese_chars,
            own._is_chinese_char,
            own._run_strip_accents,
            own._run_split_on_punc,
        )
        return steps == _PLAIN_STEPS and _STEP_NAMES.isdisjoint(self.__dict__)

    def _tokenize_by_steps(self, text: str) -> list[str]:
        text = self._tokenize_chinese_chars(self._clean_text(text))
        parts: list[str] = []
        for token in whitespace_tokenize(text):
            if self.do_lower_case:
                token = self._run_strip_accents(token.lower())
            parts += self._run_split_on_punc(token)
        return whitespace_tokenize(" ".join(parts))

    def _clean_text(self, text: str) -> str:
        """Drops what is no text; any other whitespace becomes a space."""
        return "".join(
            " " if characters.is_whitespace(char) else char
            for char in text
            if char not in "\0\ufffd" and not characters.is_control(char)
        )

    def _tokenize_chinese_chars(self, text: str) -> str:
        """Puts spaces round CJK ideographs."""
        return "".join(
            f" {char} " if self._is_chinese_char(ord(char)) else char
            for char in text
        )

    def _is_chinese_char(self, cp: int) -> bool:
        """Whether a code point is a CJK ideograph."""
        return characters.is_cjk(chr(cp))

    def _run_strip_accents(self, text: str) -> str:
        """Takes characters apart and drops their accents."""
        return "".join(
            char
            for char in unicodedata.normalize("NFD", text)
            if unicodedata.category(char) != "Mn"
        )

    def _run_split_on_punc(self, text: str) -> list[str]:
        """Returns each punctuation character, and what is between them."""
        parts: list[str] = []
        for is_mark, run in itertools.groupby(text, characters.is_punctuation):
            chars = list(run)
            parts += chars if is_mark else ["".join(chars)]
        return parts

    def tokenize_with_offsets(
        self, text: str
    ) -> tuple[list[str], list[tuple[int, int]]]:
        """Returns `tokenize(text)` and where each token stands in the text.

        Returns:
            The tokens; and by token the range [start, end) of the characters
            that it is from, see `data.text.offsets`.
        """
        found: list[str] = []
        ranges: list[tuple[int, int]] = []
        for match in offsets.WORD.finditer(text):
            tokens = self.tokenize(match[0])
            places = offsets.piece_offsets(
                match[0], tokens, tokens, self.do_lower_case
            )
            found += tokens
            ranges += offsets.shifted_pairs(places, match.start())
        return found, ranges


_PLAIN_STEPS = (
    BasicTokenizer._clean_text,
    BasicTokenizer._tokenize_chinese_chars,
    BasicTokenizer._is_chinese_char,
    BasicTokenizer._run_strip_accents,
    BasicTokenizer._run_split_on_punc,
)
_STEP_NAMES = frozenset(step.__name__ for step in _PLAIN_STEPS)


class WordpieceTokenizer(Watched):
    """Cuts words into the longest pieces that the vocabulary has.

    Args:
        vocab: the pieces (anything with `in`); one inside a word starts with
            `##`.
        unk_token: stands for a word that cannot be cut into pieces.
        max_input_chars_per_word: a longer word is unknown, too.
    """

    def __init__(
        self,
        vocab: Container[str],
        unk_token: str = "[UNK]",
        max_input_chars_per_word: int = 200,
    ) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word

    def tokenize(self, text: str | bytes) -> list[str]:
        """Returns the pieces of whitespace-separated words, greedily.

        For example `unaffable` gives `un ##aff ##able`.

        Raises:
            ValueError: neither str nor bytes.
        """
        pieces = []
        for word in whitespace_tokenize(convert_to_unicode(text)):
            pieces += self._cut(word)
        return pieces

    def _cut(self, word: str) -> list[str]:
        if len(word) > self.max_input_chars_per_word:
            return [self.unk_token]
        vocab = self.vocab
        if word in vocab:
            return [word]
        longest = vocab.longest if isinstance(vocab, Vocab) else len(word) + 2
        pieces = []
        prefix, rest = "", word
        while rest:
            piece = (prefix + rest)[:longest]
            while piece not in vocab and len(piece) > len(prefix):
                piece = piece[:-1]
            if len(piece) <= len(prefix):
                return [self.unk_token]
            pieces.append(piece)
            rest = rest[len(piece) - len(prefix) :]
            prefix = "##"
        return pieces
