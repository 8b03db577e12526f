"""The original's module name, for code written against it.

`data.text.tokenization` holds the code; everything that the original's module
has can be had here under the same name.
"""
# ruff: noqa: F401 (other code imports these names from here)

from bert.data.text.characters import is_control as _is_control
from bert.data.text.characters import is_punctuation as _is_punctuation
from bert.data.text.characters import is_whitespace as _is_whitespace
from bert.data.text.tokenization import (
    BasicTokenizer,
    FullTokenizer,
    WordpieceTokenizer,
    convert_by_vocab,
    convert_ids_to_tokens,
    convert_to_unicode,
    convert_tokens_to_ids,
    load_vocab,
    printable_text,
    validate_case_matches_checkpoint,
    whitespace_tokenize,
)
