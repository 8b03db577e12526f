"""Raw strings to ids inside a graph, with the ids that `FullTokenizer` gives.

    bytes -> words -> pieces and ids -> [CLS] a [SEP] b [SEP]

tensorflow-text's WordPiece op cuts the words of `word_graph` into pieces. What
is left to differ stands in docs/raw_strings.md.
"""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from bert.data.records import packing
from bert.errors import UserError
from bert.serving import word_graph

_MAX_WORD_CHARS = 200  # WordpieceTokenizer's max_input_chars_per_word
_MAX_CHAR_BYTES = 4
# No token of a vocabulary, which are stripped, can match these.
_UNKNOWN_WORD = " "
_UNUSED_TOKEN = "\t{}"


class Pieces(NamedTuple):
    """The pieces of texts, each [B, (pieces)], int32.

    Attributes:
        ids: as `FullTokenizer.encode` gives them.
        starts: where the piece starts in its text, in bytes.
        limits: where it ends.
    """

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    limits: tf.RaggedTensor


class TextGraph(tf.Module):
    """`FullTokenizer` and packing as a graph of TensorFlow's operations.

    Everything it knows is in constants, so that a SavedModel with its methods
    needs no files; whoever loads that imports tensorflow_text first.

    Args:
        vocab: token to id, as `load_vocab` gives it, with [UNK], [CLS] and
            [SEP].
        do_lower_case: whether to lower-case texts and strip their accents.

    Raises:
        UserError: tensorflow-text cannot be imported, or cannot take the
            vocabulary.
    """

    def __init__(self, vocab: Mapping[str, int], do_lower_case: bool) -> None:
        super().__init__(name="text_graph")
        self._special = packing.SpecialIds.from_vocab(vocab)
        self._words = word_graph.WordGraph(do_lower_case)
        self._wordpiece = _wordpiece_tokenizer(vocab)

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the texts' ids.

        Args:
            texts: string [B], UTF-8; bytes that are not are left out.

        Returns:
            int32 [B, (pieces)], as `FullTokenizer.encode` gives them.
        """
        return self.tokenize_with_offsets(texts).ids

    def tokenize_with_offsets(self, texts: tf.Tensor) -> Pieces:
        """Returns the texts' ids and where each piece stands in its text.

        Args:
            texts: as in `tokenize`.
        """
        with tf.device("CPU"), tf.name_scope("tokenize"):
            words = self._words.split(texts)
            ids, first_chars, last_chars = self._cut(words.chars)
            splits = tf.gather(ids.row_splits, words.row_splits)
            return Pieces(
                *(
                    tf.RaggedTensor.from_row_splits(
                        values, splits, validate=False
                    )
                    for values in (
                        ids.flat_values,
                        tf.gather(words.char_starts, first_chars),
                        tf.gather(words.char_limits, last_chars),
                    )
                )
            )

    def pack_as_is(
        self, ids_a: tf.RaggedTensor, ids_b: tf.RaggedTensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns what a model reads, as `packing.pad` makes it; cuts nothing.

        [CLS] a [SEP], or [CLS] a [SEP] b [SEP] where b has an id.

        Args:
            ids_a: int32 [B, (pieces)].
            ids_b: int32 [B, (pieces)], or None.

        Returns:
            input_ids, input_mask and segment_ids, int32 [B, S], where S is
            the length of the longest one of these sequences.
        """
        with tf.device("CPU"), tf.name_scope("pack"):
            first = _enclose(ids_a, self._special.cls, self._special.sep)
            sequences = first
            if ids_b is not None:
                second = _append(ids_b, self._special.sep)
                # As packing: without a second text there is one segment.
                lengths = tf.where(
                    ids_b.row_lengths() > 0, second.row_lengths(), 0
                )
                sequences = tf.concat([first, keep_first(second, lengths)], 1)
            input_ids = sequences.to_tensor()
            length = tf.shape(input_ids)[1]
            mask = tf.sequence_mask(
                sequences.row_lengths(), length, dtype=tf.int32
            )
            in_first = tf.sequence_mask(
                first.row_lengths(), length, dtype=tf.int32
            )
            return {
                "input_ids": input_ids,
                "input_mask": mask,
                "segment_ids": mask - in_first,
            }

    def _cut(
        self, words: tf.RaggedTensor
    ) -> tuple[tf.RaggedTensor, tf.Tensor, tf.Tensor]:
        """Cuts words into pieces.

        Args:
            words: int32 [W, (chars)], code points.

        Returns:
            ids [W, (pieces)]; of each piece the places of its first and of its
            last character in `words.flat_values`.
        """
        is_long = words.row_lengths() > _MAX_WORD_CHARS
        strings = tf.where(
            is_long, _UNKNOWN_WORD, tf.strings.unicode_encode(words, "UTF-8")
        )
        ids, starts, limits = self._wordpiece.tokenize_with_offsets(strings)
        bytes_before = tf.cumsum(_num_bytes(words.flat_values), exclusive=True)
        word = ids.value_rowids()
        begin = tf.gather(words.row_starts(), word)
        word_byte = tf.gather(bytes_before, begin)

        def place(byte: tf.Tensor) -> tf.Tensor:
            return tf.searchsorted(
                bytes_before, word_byte + byte, out_type=tf.int64
            )

        is_long = tf.gather(is_long, word)
        end = tf.gather(words.row_limits(), word)
        first = tf.where(is_long, begin, place(starts.flat_values))
        limit = tf.where(is_long, end, place(limits.flat_values))
        return ids, first, limit - 1


def keep_first(ids: tf.RaggedTensor, lengths: tf.Tensor) -> tf.RaggedTensor:
    """Returns the first ids of each row.

    Args:
        ids: [B, (pieces)].
        lengths: int64 [B] or scalar, how many to keep at most.
    """
    # On flat values: ragged comparisons take a hundred operations.
    lengths = tf.minimum(ids.row_lengths(), lengths)
    nth = tf.range(tf.size(ids.flat_values, tf.int64)) - tf.repeat(
        ids.row_starts(), ids.row_lengths()
    )
    is_kept = nth < tf.repeat(lengths, ids.row_lengths())
    return tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(ids.flat_values, is_kept), lengths, validate=False
    )


def keep_ends(ids: tf.RaggedTensor, first: int, last: int) -> tf.RaggedTensor:
    """Returns the first and the last ids of each row; short rows whole.

    Args:
        ids: [B, (pieces)].
        first: how many of the first ones to keep.
        last: how many of the last ones.
    """
    lengths = ids.row_lengths()
    begin = keep_first(
        ids, tf.where(lengths > first + last, tf.cast(first, tf.int64), lengths)
    )
    left = lengths - begin.row_lengths()
    end = keep_first(ids[:, ::-1], tf.minimum(left, last))[:, ::-1]
    return tf.concat([begin, end], 1)


def truncate_seq_pair(
    ids_a: tf.RaggedTensor, ids_b: tf.RaggedTensor, max_num_tokens: tf.Tensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Cuts pairs down: `packing.truncate_seq_pair`.

    Args:
        ids_a: [B, (pieces)].
        ids_b: [B, (pieces)].
        max_num_tokens: int64 [B], how many ids both have together at most.
    """
    # The longer one loses until they are equal; then b is the first to lose.
    half_of_a = (max_num_tokens + 1) // 2
    left_of_a = tf.maximum(max_num_tokens - ids_b.row_lengths(), half_of_a)
    ids_a = keep_first(ids_a, left_of_a)
    return ids_a, keep_first(ids_b, max_num_tokens - ids_a.row_lengths())


def _wordpiece_tokenizer(vocab: Mapping[str, int]) -> tf.Module:
    try:
        import tensorflow_text
    except ImportError as error:
        raise UserError(
            "Raw strings need tensorflow-text of TensorFlow's version "
            f"({tf.__version__}), which cannot be imported: {error}. Install "
            "it, or do without raw strings."
        ) from error
    # Ids that no token has (of equal lines the last one counts), and tokens
    # that no word can hold.
    tokens = [_UNUSED_TOKEN.format(i) for i in range(max(vocab.values()) + 1)]
    for token, index in vocab.items():
        if 0 < len(token.removeprefix("##")) <= _MAX_WORD_CHARS:
            tokens[index] = token
    try:
        return tensorflow_text.FastWordpieceTokenizer(
            vocab=tokens,
            max_bytes_per_word=_MAX_WORD_CHARS * _MAX_CHAR_BYTES,
            token_out_type=tf.int32,
            no_pretokenization=True,
            support_detokenization=False,
        )
    except RuntimeError as error:
        raise UserError(
            f"tensorflow-text cannot take the vocabulary of {len(vocab)} "
            f"tokens: {error} Do without raw strings."
        ) from error


def _num_bytes(codes: tf.Tensor) -> tf.Tensor:
    """Returns how many bytes each code point takes in UTF-8."""
    return 1 + sum(
        tf.cast(codes >= first, tf.int64) for first in (0x80, 0x800, 0x10000)
    )


def _enclose(ids: tf.RaggedTensor, first: int, last: int) -> tf.RaggedTensor:
    """Returns first, the row's ids, last."""
    column = tf.fill([ids.nrows(), 1], tf.constant(first, ids.dtype))
    return tf.concat([column, _append(ids, last)], 1)


def _append(ids: tf.RaggedTensor, last: int) -> tf.RaggedTensor:
    column = tf.fill([ids.nrows(), 1], tf.constant(last, ids.dtype))
    return tf.concat([ids, column], 1)
