"""Texts → sequences, for run_classifier and extract_features."""

from typing import Any

from bert.data.records import packing

# Tokens in the place of ids.
SPECIAL_TOKENS: Any = ("[CLS]", "[SEP]", "[SEP]")


def pack_texts(
    text_a: str, text_b: str | None, tokenizer: Any, seq_length: int
) -> tuple[list[str], dict[str, list[int]]]:
    """Makes a text or a pair of texts one sequence.

    Args:
        text_a: the text, or the first one.
        text_b: the second one; one without tokens counts as none.
        tokenizer: has `tokenize` and `convert_tokens_to_ids`.
        seq_length: S.

    Returns:
        Its tokens; and `packing.pad`: input_ids, input_mask and segment_ids.

    Raises:
        AssertionError: S is too short for a text.
        IndexError: S is too short for a pair.
    """
    tokens, first_length = packing.pack_texts(
        text_a,
        text_b,
        tokenizer.tokenize,
        packing.SpecialIds(*SPECIAL_TOKENS),
        seq_length,
    )
    assert len(tokens) <= seq_length
    ids = tokenizer.convert_tokens_to_ids(tokens)
    packed = packing.Packed(list(ids), first_length)
    return list(map(str, tokens)), packing.pad(packed, seq_length)


def truncate_seq_pair(
    tokens_a: list[Any], tokens_b: list[Any], max_length: int
) -> None:
    """Cuts a pair down in place: `packing.truncate_seq_pair`."""
    packing.truncate_seq_pair(tokens_a, tokens_b, max_length)
