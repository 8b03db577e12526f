"""The one place that knows which kinds of tokenizers there are.

Imports neither TensorFlow nor NumPy, and no tokenizer before it is wanted.
"""

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple

from bert.data.text import case_check

if TYPE_CHECKING:
    from bert.data.text.tokenization import FullTokenizer


class Kind(NamedTuple):
    """A kind of tokenizer.

    Attributes:
        module: where its class is, in this package, beside a `load_vocab`.
        name: the class, a `FullTokenizer`.
        files: what a model's folder has of it. The first one is what
            --vocab_file names; the others stand beside it.
        lower_cases: whether it lower-cases; None: as --do_lower_case says.
        in_graphs: whether a graph can do its work (`serving.text_graph`).
    """

    module: str
    name: str
    files: tuple[str, ...]
    lower_cases: bool | None
    in_graphs: bool


WORD_PIECES = Kind(
    "tokenization", "FullTokenizer", ("vocab.txt",), None, in_graphs=True
)
_KINDS = (
    WORD_PIECES,
    Kind(
        "gpt_tokenizer",
        "GptTokenizer",
        ("encoder_bpe_40000.json", "vocab_40000.bpe"),
        lower_cases=True,
        in_graphs=False,
    ),
)
# What a model's --vocab_file may be called in its folder.
VOCAB_FILES = tuple(kind.files[0] for kind in _KINDS)
# And all that may stand there.
FILES = tuple(name for kind in _KINDS for name in kind.files)


def kind_of(vocab_file: str | os.PathLike[str]) -> Kind:
    """Returns the kind that a vocabulary is for, by the file's name.

    Word pieces may stand in a file of any name.
    """
    name = os.path.basename(os.fspath(vocab_file))
    return next((k for k in _KINDS if name == k.files[0]), WORD_PIECES)


def kept_files(vocab_file: str) -> dict[str, str]:
    """Returns what a model keeps of a tokenizer.

    Args:
        vocab_file: what --vocab_file names.

    Returns:
        The paths of the files, by their names in a model's folder.
    """
    first, *others = kind_of(vocab_file).files
    folder = os.path.dirname(vocab_file)
    return {
        first: vocab_file,
        **{name: os.path.join(folder, name) for name in others},
    }


def load_vocab(vocab_file: str | os.PathLike[str]) -> dict[str, int]:
    """Returns a vocabulary, token → id.

    Raises:
        UserError: the file cannot be read.
    """
    return _module(kind_of(vocab_file)).load_vocab(vocab_file)


def is_uncased(vocab_file: str | os.PathLike[str]) -> bool | None:
    """Returns whether a vocabulary is one of lower-cased text.

    Returns:
        None where it cannot tell; see `case_check`.

    Raises:
        UserError: the file cannot be read.
    """
    lower_cases = kind_of(vocab_file).lower_cases
    if lower_cases is not None:
        return lower_cases
    return case_check.is_uncased(load_vocab(vocab_file))


def make(
    vocab_file: str | os.PathLike[str], do_lower_case: bool
) -> "FullTokenizer":
    """Returns the tokenizer of a vocabulary.

    Raises:
        UserError: a file cannot be read, a package is missing, or it is not
            for text of that case.
    """
    kind = kind_of(vocab_file)
    return getattr(_module(kind), kind.name)(vocab_file, do_lower_case)


def _module(kind: Kind):
    return importlib.import_module(f"bert.data.text.{kind.module}")
