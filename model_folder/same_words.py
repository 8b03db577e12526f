"""Is a text made into ids as the model knows them that a run begins with?

Its folder says how: a vocab.txt, and the casing in task.json. Those of a
published model have no task.json, and other folders may have neither.
"""

import contextlib
import os
import re

from absl import logging

from bert.data.text import case_check, tokenizers
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.files import file_bytes, text_input
from bert.model_folder import locate, task_files

_UNUSED = re.compile(r"\[unused\d+\]")


def folder_of(path: str) -> str:
    """Returns the folder of a checkpoint: a folder, a prefix or a file."""
    return path if file_bytes.is_folder(path) else os.path.dirname(path)


def casing(folder: str) -> bool | None:
    """Returns do_lower_case of a folder's task.json; None: it is not known."""
    with contextlib.suppress(UserError, OSError):  # it may be of others
        if kept := locate.task(folder):
            return kept.do_lower_case
    return None


def other_vocab(folder: str, vocab_file: str) -> str | None:
    """Returns a model's vocabulary where a file has another word for an id.

    Words in the place of `[unused0]` … and behind all others are new ones, as
    people add them by hand, and no other words.

    Args:
        folder: the model's.
        vocab_file: what is to be its vocabulary.

    Returns:
        None where the words are the same, or the folder has no vocabulary.
    """
    own = locate.vocab_file(folder)
    if own is None:
        return None
    with contextlib.suppress(UserError, OSError):
        if text_input.read(own) == text_input.read(vocab_file):
            return None
        known, given = map(tokenizers.load_vocab, (own, vocab_file))
        words = {index: word for word, index in given.items()}
        if any(
            words.get(index) != word and not _UNUSED.fullmatch(word)
            for word, index in known.items()
        ):
            return own
    return None


def warn(
    init_checkpoint: str | None, tokenizer: FullTokenizer, do_lower_case: bool
) -> None:
    """Warns where the folder of --init_checkpoint contradicts the flags.

    Of the casing a line only where the vocabulary has not been warned of.

    Args:
        init_checkpoint: the flag's value.
        tokenizer: made of --vocab_file.
        do_lower_case: the flag's value.
    """
    if not init_checkpoint:
        return
    folder = folder_of(init_checkpoint)
    lower = casing(folder)
    if lower not in (None, bool(do_lower_case)) and case_check.is_uncased(
        tokenizer.vocab
    ) in (None, bool(do_lower_case)):
        logging.warning(
            "%s says that the model was trained with --do_lower_case=%s, but "
            "do_lower_case is %s: pass --do_lower_case=%s if this is not "
            "meant.",
            *(locate.file(folder, task_files.TASK_FILE), lower),
            *(bool(do_lower_case), lower),
        )
    if own := other_vocab(folder, tokenizer.vocab_file):
        logging.warning(
            "--vocab_file=%s has other words than %s, which is beside "
            "--init_checkpoint: the same ids would mean other words. Pass "
            "--vocab_file=%s if this is not meant.",
            *(tokenizer.vocab_file, own, own),
        )
