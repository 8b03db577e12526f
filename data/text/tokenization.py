"""Text to word pieces and ids, exactly as the original tokenizes.

    text --BasicTokenizer--> words and punctuation --WordpieceTokenizer-->
    pieces --vocabulary--> ids

Both steps work inside one whitespace-separated word and never look beyond it:
lower-casing (a final sigma), the reordering of accents and the split at
punctuation all end at a space. So `FullTokenizer` remembers the ids of the
words it has met, and a text costs about one look-up a word.

Imports neither TensorFlow nor NumPy.
"""

import os
import unicodedata
from collections.abc import Hashable, Iterable, Mapping

from absl import logging

from bert.data.text import characters, offsets
from bert.data.text.case_check import (
    validate_case_matches_checkpoint as validate_case_matches_checkpoint,
)
from bert.data.text.case_check import warn_if_vocab_contradicts_case
from bert.data.text.word_memory import WordMemory
from bert.errors import UserError
from bert.files import text_input

# The pieces that every use of a tokenizer needs.
_SPECIAL_TOKENS = ("[UNK]", "[CLS]", "[SEP]")

# A FullTokenizer remembers less than 200 MB: words with ids, words with pieces,
# words with ranges, and five tables of characters of at most 5 MB.
_WORDS_LIMIT_BYTES = 80_000_000
_OFFSETS_LIMIT_BYTES = 15_000_000


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


def load_vocab(vocab_file: str | os.PathLike[str]) -> dict[str, int]:
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
    vocab: dict[str, int] = {}
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


class FullTokenizer:
    """Text to word pieces: `BasicTokenizer`, then `WordpieceTokenizer`.

    Remembers words' ids and pieces, in at most 200 MB. So `vocab` and the two
    tokenizers must not be changed after the first text.

    Args:
        vocab_file: see `load_vocab`. `[UNK]`, `[CLS]` and `[SEP]` must be in
            it; `require_tokens` asks for more.
        do_lower_case: whether to lower-case the text and strip its accents; a
            vocabulary that contradicts it is warned of.

    Attributes:
        vocab: token to id.
        inv_vocab: id to token.
        basic_tokenizer: the `BasicTokenizer`.
        wordpiece_tokenizer: the `WordpieceTokenizer`.

    Raises:
        UserError: the vocabulary cannot be read, or lacks special tokens.

    Source: Devlin et al. 2019, section 3; Wu et al. 2016, section 4.1.
    """

    def __init__(
        self, vocab_file: str | os.PathLike[str], do_lower_case: bool = True
    ) -> None:
        self.vocab_file = os.fspath(vocab_file)
        self.vocab = load_vocab(vocab_file)
        self.inv_vocab = {index: token for token, index in self.vocab.items()}
        self.require_tokens(*_SPECIAL_TOKENS)
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

    def require_tokens(self, *tokens: str) -> None:
        """Raises UserError where the vocabulary lacks one of the tokens."""
        missing = [token for token in tokens if token not in self.vocab]
        if missing:
            raise UserError(
                f"{self.vocab_file}: expected {', '.join(tokens)} in the "
                f"vocabulary, one token a line; {', '.join(missing)} not found "
                f"in its {len(self.vocab)} tokens. Pass the vocab.txt that "
                "belongs to the model."
            )

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
        return self._pieces_of_words.values_of_text(text)

    def encode(self, text: str | bytes) -> list[int]:
        """Returns `convert_tokens_to_ids(tokenize(text))`, the fast way."""
        if not isinstance(text, str):
            text = convert_to_unicode(text)
        return self._ids_of_words.values_of_text(text)

    def encode_words(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Returns `tuple(encode(word))` of each, quicker than one by one.

        Args:
            words: short texts; most have no spaces.
        """
        return list(map(self._ids_of_words.__getitem__, words))

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
        for match in offsets.WORD.finditer(text):
            word, first = match[0], match.start()
            ids += self._ids_of_words[word]
            ranges += offsets.shifted_pairs(self._offsets_of_words[word], first)
        return ids, ranges

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
        return list(map(self._offsets_of_words.__getitem__, words))

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Returns the tokens' ids; KeyError for an unknown token."""
        return convert_by_vocab(self.vocab, tokens)

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Returns the ids' tokens; KeyError for an unknown id."""
        return convert_by_vocab(self.inv_vocab, ids)

    def _compute_ids(self, word: str) -> tuple[int, ...]:
        words = " ".join(self.basic_tokenizer.tokenize(word))
        pieces = self.wordpiece_tokenizer.tokenize(words)
        return tuple(convert_by_vocab(self.vocab, pieces))

    def _compute_pieces(self, word: str) -> tuple[str, ...]:
        # The vocabulary's own strings: those cut from the word are copies.
        return tuple(convert_by_vocab(self.inv_vocab, self._compute_ids(word)))

    def _compute_offsets(self, word: str) -> tuple[int, ...]:
        return offsets.piece_offsets(
            word,
            self.basic_tokenizer.tokenize(word),
            convert_by_vocab(self.inv_vocab, self._ids_of_words[word]),
            self.basic_tokenizer.do_lower_case,
        )


class BasicTokenizer:
    """Cleans a text and splits it into words and punctuation marks.

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
        text = convert_to_unicode(text).translate(characters.CLEAN)
        if not self.do_lower_case:
            return text.translate(characters.SPLIT).split()
        text = unicodedata.normalize("NFD", text.lower())
        return text.translate(characters.STRIP_AND_SPLIT).split()

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


class WordpieceTokenizer:
    """Cuts words into the longest pieces that the vocabulary has.

    Args:
        vocab: the pieces; a piece inside a word starts with `##`.
        unk_token: stands for a word that cannot be cut into pieces.
        max_input_chars_per_word: a longer word is unknown, too.
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        unk_token: str = "[UNK]",
        max_input_chars_per_word: int = 200,
    ) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word
        self._max_piece_chars = max(map(len, vocab), default=0)

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
        vocab, longest = self.vocab, self._max_piece_chars
        if word in vocab:
            return [word]
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
