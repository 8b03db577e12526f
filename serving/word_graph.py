"""Raw strings to words inside a graph, as `BasicTokenizer` splits them.

    bytes -> code points -> units (characters and what to do with them) -> words

A table that the Python tokenizer's own functions fill says what becomes of
each character. Two things depend on a character's neighbours, and are done
here: a capital sigma at the end of a word, and the order of accents.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.serving import character_table as table

_SIGMA = ord("Σ")
_FINAL_SIGMA = ord("ς")


class Words(NamedTuple):
    """The words of all texts, one after the other.

    Attributes:
        chars: int32 [W, (chars)], code points; all in all C.
        row_splits: int64 [B + 1], where the words of each text begin and end.
        char_starts: int32 [C], the byte of its text where a character starts.
        char_limits: int32 [C], and where it ends.
    """

    chars: tf.RaggedTensor
    row_splits: tf.Tensor
    char_starts: tf.Tensor
    char_limits: tf.Tensor


class WordGraph:
    """`BasicTokenizer` as a graph of TensorFlow's operations.

    Args:
        do_lower_case: whether to lower-case texts and strip their accents.
    """

    def __init__(self, do_lower_case: bool) -> None:
        self._do_lower_case = do_lower_case
        self._characters = table.build(do_lower_case)
        self._sigma_contexts = table.sigma_contexts()

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the texts' words and punctuation marks.

        Args:
            texts: string [B], UTF-8; bytes that are not are left out.

        Returns:
            string [B, (words)].
        """
        words = self.split(texts)
        return tf.RaggedTensor.from_row_splits(
            tf.strings.unicode_encode(words.chars, "UTF-8"),
            words.row_splits,
            validate=False,
        )

    def split(self, texts: tf.Tensor) -> Words:
        """Returns the texts' words as code points, and where they stand.

        Args:
            texts: as in `tokenize`.
        """
        # A space behind each text parts it from the next one: words, sigmas
        # and the order of accents all end at it.
        codes, byte_starts = tf.strings.unicode_decode_with_offsets(
            tf.strings.join([texts, " "]), "UTF-8", errors="ignore"
        )
        units, sources = self._units(codes.flat_values)
        kinds = _kinds(units)
        is_letter = kinds == table.LETTER
        goes_on = is_letter & tf.concat([[False], is_letter[:-1]], 0)
        chars = tf.where(kinds != table.SPACE)[:, 0]
        words = tf.RaggedTensor.from_row_starts(
            tf.gather(units & table.CODE_MASK, chars),
            tf.where(~tf.gather(goes_on, chars))[:, 0],
            validate=False,
        )
        char_sources = tf.gather(sources, chars)
        # Sources grow from text to text, if not always inside one.
        row_splits = tf.searchsorted(
            tf.gather(char_sources, words.row_starts()),
            tf.cast(codes.row_splits, tf.int32),
            out_type=tf.int64,
        )
        # Accents that were dropped behind a character belong to it.
        next_sources = tf.maximum(
            char_sources + 1, tf.gather(sources, chars + 1)
        )
        byte_starts = tf.cast(byte_starts.flat_values, tf.int32)
        return Words(
            words,
            row_splits,
            tf.gather(byte_starts, char_sources),
            tf.gather(byte_starts, next_sources),
        )

    def _units(self, codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns units [N], and which code point each of them came from."""
        if not self._do_lower_case:
            return self._expand(codes)
        return _drop_marks(*self._expand(self._mark_final_sigmas(codes)))

    def _mark_final_sigmas(self, codes: tf.Tensor) -> tf.Tensor:
        """Writes ς for Σ at the end of a word, as `str.lower` does."""
        is_sigma = codes == _SIGMA

        def mark() -> tf.Tensor:
            contexts = _look_up(self._sigma_contexts, codes)
            decides = contexts != table.TRANSPARENT
            is_cased = tf.boolean_mask(contexts == table.CASED, decides)
            is_cased = tf.pad(is_cased, [[1, 1]])
            # A sigma decides, too: this is its own place.
            place = tf.cumsum(tf.cast(decides, tf.int32))
            is_final = tf.gather(is_cased, tf.maximum(place - 1, 0)) & ~(
                tf.gather(is_cased, place + 1)
            )
            return tf.where(is_sigma & is_final, _FINAL_SIGMA, codes)

        return tf.cond(tf.reduce_any(is_sigma), mark, lambda: codes)

    def _expand(self, codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the units of code points, and the place of each's source."""
        entries = _look_up(self._characters.entries, codes)
        splits = self._characters.expansion_splits
        row = tf.maximum(-1 - entries, 0)
        lengths = tf.where(entries < 0, tf.gather(np.diff(splits), row), 1)
        sources = tf.repeat(tf.range(tf.size(codes)), lengths)
        nth = tf.range(tf.size(sources)) - tf.gather(
            tf.cumsum(lengths, exclusive=True), sources
        )
        address = tf.gather(tf.gather(splits, row), sources) + nth
        entries = tf.gather(entries, sources)
        units = tf.where(
            entries < 0,
            tf.gather(self._characters.expansions, address),
            tf.bitwise.bitwise_xor(entries, tf.gather(codes, sources)),
        )
        return units, sources


def _look_up(paged: table.PagedTable, codes: tf.Tensor) -> tf.Tensor:
    page = tf.gather(paged.page_of, codes // table.PAGE_SIZE)
    place = page * table.PAGE_SIZE + codes % table.PAGE_SIZE
    return tf.gather(paged.pages.reshape(-1), place)


def _kinds(units: tf.Tensor) -> tf.Tensor:
    return tf.bitwise.right_shift(units, table.KIND_SHIFT) & table.KIND_MASK


def _drop_marks(
    units: tf.Tensor, sources: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts combining characters in NFD's order, and drops the marks."""
    order = tf.bitwise.right_shift(units, table.CLASS_SHIFT)
    # Each run begins at a character that stays where it is.
    run = tf.cumsum(tf.cast(order == 0, tf.int64))
    kept = tf.where(_kinds(units) != table.MARK)[:, 0]
    units, sources = tf.gather(units, kept), tf.gather(sources, kept)
    rank = tf.gather(run * 256 + tf.cast(order, tf.int64), kept)

    def reorder() -> tuple[tf.Tensor, tf.Tensor]:
        places = tf.argsort(rank, stable=True)
        return tf.gather(units, places), tf.gather(sources, places)

    return tf.cond(
        tf.reduce_all(rank[1:] >= rank[:-1]), lambda: (units, sources), reorder
    )
