"""What records do not say: how their text became ids, and their second task.

What uses the model needs it, and finds it in output_dir (vocab.txt, task.json).
"""

import dataclasses
import os
from collections.abc import Sequence

from absl import logging

from bert.data.corpus import record_notes
from bert.data.corpus.record_notes import Note
from bert.data.text import special_tokens, tokenization, tokenizers
from bert.errors import UserError
from bert.model_folder import locate, same_words, task_files
from bert.modeling import BertConfig
from bert.tasks.pretraining.config import Config
from bert.training.head_check import Start

_HEAD = "cls/seq_relationship/output_weights"


def completed(
    config: Config, bert_config: BertConfig, files: Sequence[str], start: Start
) -> Config:
    """Returns the flags' values with what they leave open, where it is known.

    The note on the records says it; else a run that goes on has it in
    output_dir; of the casing a vocabulary tells.

    Args:
        config: the flags' values.
        bert_config: the model's sizes.
        files: the records'.
        start: the checkpoint that the run begins with.

    Raises:
        UserError: the note cannot be read or contradicts a flag; the
            vocabulary cannot be read or used, or is another model's; the
            checkpoint's folder says other words or another casing; or there
            is no head for the second task.
    """
    if _lacks_head(config, start) and config.next_sentence is None:
        config = dataclasses.replace(config, next_sentence="none")
    note, path = record_notes.common(files, config.has_next_sentence) or (
        None,
        "",
    )
    if note:
        _check_flags(config, note, path, "leave the flag out, or ")
    vocab_file = _vocab_file(config, note, path)
    folder = os.path.dirname(start.reader.prefix) if start.reader else None
    lower = config.do_lower_case
    if lower is None:
        lower = (
            note.do_lower_case
            if note
            else _kept_casing(config, vocab_file, folder)
        )
    if vocab_file:
        tokenizer = tokenization.checked_tokenizer(vocab_file, bool(lower))
        tokenizer.require_tokens(special_tokens.of(tokenizer.vocab).mask)
        tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    if folder is not None and not (start.is_resumed and config.force_resume):
        _check_model(folder, vocab_file, lower, note)
    return dataclasses.replace(
        config,
        vocab_file=vocab_file,
        do_lower_case=lower,
        next_sentence=_next_sentence(config, note, start),
    )


def check(config: Config, files: Sequence[str]) -> None:
    """Raises UserError where records are others than the flags' values say.

    Args:
        config: completed.
        files: the records'.
    """
    found = record_notes.common(files, config.has_next_sentence)
    if found:
        _check_flags(config, *found)


def _check_flags(
    config: Config, note: Note, path: str, advice: str = ""
) -> None:
    """Raises UserError where a flag contradicts the note."""
    found = {
        "do_lower_case": (config.do_lower_case, note.do_lower_case),
        "next_sentence": (config.next_sentence, note.settings.next_sentence),
    }
    for name, (given, made) in found.items():
        # None of the two tasks of records has to be trained.
        if given not in (None, "none", made):
            raise UserError(
                f"--{name}={given} is not how the records were made: {path} "
                f"says {made}; {advice}name other records."
            )
    given = config.vocab_file
    if given and not _is_of(note, given):
        raise UserError(
            f"--vocab_file={given} is not the vocabulary that the records were "
            f"made with, which was {note.vocab_file} ({path}); {advice}name "
            "other records."
        )


def _check_model(
    folder: str, vocab_file: str | None, lower: bool | None, note: Note | None
) -> None:
    """Raises UserError where records are not in a checkpoint's words.

    Args:
        folder: the checkpoint's.
        vocab_file: the records'; None where it is not known, or gone.
        lower: whether their text is lower-cased; None where it is not known.
        note: on the records, or None.
    """
    own = locate.vocab_file(folder)
    other = None
    if vocab_file:
        other = same_words.other_vocab(folder, vocab_file)
    elif note and own and not _is_of(note, own):
        other = own
    if other:
        raise UserError(
            "Expected records in the words of the model that the run begins "
            f"with, {other}. Received: those of "
            f"{vocab_file or (note and note.vocab_file)}; make the records "
            "anew with the model's, or name another checkpoint."
        )
    kept = same_words.casing(folder)
    if None not in (kept, lower) and kept != lower:
        raise UserError(
            f"{locate.file(folder, task_files.TASK_FILE)}: the model that the "
            f"run begins with has do_lower_case {kept}. Received: records with "
            f"{lower}; make them anew, or name another checkpoint."
        )


def _is_of(note: Note, vocab_file: str) -> bool:
    """Returns whether a file is there, and is the vocabulary of a note."""
    try:
        return record_notes.hash_of(vocab_file) == note.vocab_hash
    except OSError:
        return False


def _vocab_file(config: Config, note: Note | None, path: str) -> str | None:
    """Returns the vocabulary; None where none is known, or it is gone."""
    own = locate.vocab_file(config.output_dir)
    if config.vocab_file or not note:
        found = config.vocab_file or own
        if config.do_train and not found:
            logging.warning(
                "Nothing says which vocabulary the records were made with (no "
                "%s beside them): --output_dir gets no %s, which those who use "
                "the model ask for; name it (--vocab_file, --do_lower_case).",
                record_notes.SUFFIX,
                task_files.VOCAB_FILE,
            )
        return found
    for candidate in (note.vocab_file, own):
        if candidate and _is_of(note, candidate):
            return candidate
    logging.warning(
        "%s says that the records were made with %s, which is not there any "
        "more, or is another: --output_dir gets no %s; name it (--vocab_file).",
        path,
        note.vocab_file,
        task_files.VOCAB_FILE,
    )
    return None


def _kept_casing(
    config: Config, vocab_file: str | None, folder: str | None
) -> bool | None:
    """Returns whether text is lower-cased, where no flag and no note says."""
    kept = locate.task(config.output_dir)
    if kept and kept.do_lower_case is not None:
        return kept.do_lower_case
    if folder is not None and (known := same_words.casing(folder)) is not None:
        return known
    if not vocab_file:
        return None
    lower = tokenizers.is_uncased(vocab_file)
    if lower is not None:
        logging.info("By its vocabulary: do_lower_case is %s.", lower)
    return lower


def _lacks_head(config: Config, start: Start) -> bool:
    """Returns whether a model that is not trained has no second task."""
    reader = start.reader
    return bool(reader and not config.do_train and _HEAD not in reader)


def _next_sentence(config: Config, note: Note | None, start: Start) -> str:
    """Returns --next_sentence, or what it is where it is not given.

    A model that is not trained has the head or not.
    """
    given, reader = config.next_sentence, start.reader
    if reader and _lacks_head(config, start):
        if given == "none":
            return given
        raise UserError(
            f"--next_sentence={given} needs a checkpoint with {_HEAD}. "
            f"Received: {reader.prefix}, which has none; leave the flag out."
        )
    made = note.settings.next_sentence if note else "nsp"
    if given == "none" != made and note:
        logging.info(
            "The records were made for --next_sentence=%s, which is left out.",
            made,
        )
    chosen = given or made
    if reader and chosen != "none" and _HEAD not in reader:
        logging.info(
            "%s has no next-sentence head: that of --next_sentence=%s starts "
            "afresh.",
            reader.prefix,
            chosen,
        )
    return chosen
