"""The sets of examples that a command asks a task for."""

import os
from collections.abc import Iterable, Sequence

from absl import logging

from bert.errors import UserError
from bert.files import file_bytes
from bert.model_folder import labels as label_files
from bert.tasks.classification import kinds
from bert.tasks.classification.class_weights import class_weights
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import DataProcessor, InputExample


class LackingError(UserError):
    """A task has no such set."""


_FLAGS = {"train": "do_train", "dev": "do_eval", "test": "do_predict"}


Sets = dict[str, dict[str, Sequence[InputExample]]]


def read(
    processor: DataProcessor,
    data_dir: str | None,
    needed: Iterable[str],
    may_lack: Iterable[str] = (),
) -> tuple[Sets, dict[str, UserError]]:
    """Reads a task's examples.

    Args:
        processor: the task.
        data_dir: its folder.
        needed: which sets: train, dev, test.
        may_lack: those of them that the task may lack.

    Returns:
        By these names: the task's set under "", and of dev and test those of
        `DataProcessor.also` whose files are there and sound, under their
        names. And what to raise where a set is asked for that the task lacks.

    Raises:
        UserError: a file is not as it must be, or the task lacks a set.
    """
    found: Sets = {}
    lacking: dict[str, UserError] = {}
    for set_type in needed:
        try:
            examples = _examples(processor, set_type, data_dir)
        except LackingError as error:
            if set_type not in may_lack:
                raise
            lacking[set_type] = error
            continue
        found[set_type] = {"": examples}
        others = {} if set_type == "train" else processor.also
        for name, other in others.items():
            also = other()
            path = os.path.join(data_dir or "", also.files[set_type])
            if file_bytes.exists(path):
                try:
                    found[set_type][name] = _examples(also, set_type, data_dir)
                except UserError as error:
                    logging.warning("The %s set is left out: %s", name, error)
    return found, lacking


def label_names(processor: DataProcessor) -> list[str]:
    """Returns the task's labels, none in regression.

    Raises:
        UserError: they cannot be told apart, or are too few.
    """
    least = kinds.find(processor.kind).least_labels
    if not least:
        return []
    names = [kinds.label_text(label) for label in processor.get_labels()]
    name = getattr(processor, "origin", type(processor).__name__)
    label_files.check_names(names, f"The labels of {name}", least)
    return names


def label_weights(
    processor: DataProcessor,
    names: Sequence[str],
    text: str | None,
    train: Sequence[InputExample],
) -> list[float] | None:
    """Returns what --class_weights comes to; None: all count the same.

    Raises:
        UserError: see `class_weights`; or the task has no labels.
    """
    if text is None or not train:
        return None
    if not names:
        raise UserError(
            "--class_weights is for labels; those of the task are numbers. "
            f"Received: {text!r}; leave it out."
        )
    kind = kinds.find(processor.kind)
    own = [kind.names_of(example.label) for example in train]
    return class_weights(text, kind, names, own)


def label_ids(
    examples: Sequence[InputExample],
    kind: Kind,
    names: Sequence[str],
    max_seq_length: int,
    takes_pairs: bool = True,
) -> list[Sequence[float]]:
    """Returns the numbers of each example's label.

    Args:
        examples: all of a set.
        kind: what is said of a text.
        names: the task's labels; their places are their numbers.
        max_seq_length: must have room for a piece of each text.
        takes_pairs: whether an example may be a pair.

    Raises:
        UserError: an example cannot become a record.
    """
    numbers = {name: number for number, name in enumerate(names)}
    found = []
    for example in examples:
        found.append(kind.label_ids(example, numbers))
        if example.text_b and not takes_pairs:
            raise UserError(
                "--truncation is for single texts; of a pair the longer one "
                f"loses its end. Received: a pair, example {example.guid}; "
                "leave the flag out."
            )
        if example.text_b and max_seq_length < 5:
            raise UserError(
                "--max_seq_length must be at least 5 for pairs of texts: "
                f"[CLS] a [SEP] b [SEP]. Received: {max_seq_length}."
            )
    return found


def _examples(
    processor: DataProcessor, set_type: str, data_dir: str | None
) -> Sequence[InputExample]:
    name = type(processor).__name__
    try:
        get = getattr(processor, f"get_{set_type}_examples")
        examples = list(get(data_dir))
    except NotImplementedError as error:
        raise LackingError(
            f"The task has no {set_type} set ({name}), which "
            f"--{_FLAGS[set_type]} needs; leave that flag out."
        ) from error
    if not examples:
        raise UserError(
            f"Expected examples for --{_FLAGS[set_type]}. Received: none from "
            f"{name}.get_{set_type}_examples({data_dir!r})."
        )
    return examples
