"""The sets of examples that a command asks a task for."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bert.errors import UserError
from bert.files import file_bytes
from bert.model_folder import labels as label_files
from bert.tasks.classification import kinds
from bert.tasks.classification.class_weights import class_weights
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import DataProcessor, InputExample

_FLAGS = {"train": "do_train", "dev": "do_eval", "test": "do_predict"}


class ExampleSets(NamedTuple):
    """What a command reads; what it does not need is empty.

    Attributes:
        train: the training set.
        dev: what is evaluated: the task's dev set under "", those of
            `DataProcessor.also` under their names.
        test: what is predicted, by the same names.
    """

    train: Sequence[InputExample]
    dev: Mapping[str, Sequence[InputExample]]
    test: Mapping[str, Sequence[InputExample]]


def read(
    processor: DataProcessor,
    data_dir: str | None,
    *,
    train: bool,
    dev: bool,
    test: bool,
) -> ExampleSets:
    """Reads a task's examples, the training set first.

    Args:
        processor: the task.
        data_dir: its folder.
        train: whether the training set is needed.
        dev: whether the dev sets are.
        test: whether the test sets are.

    Raises:
        UserError: a file is not as it must be, or the task lacks a set.
    """
    return ExampleSets(
        _examples(processor, "train", data_dir) if train else [],
        _with_others(processor, "dev", data_dir) if dev else {},
        _with_others(processor, "test", data_dir) if test else {},
    )


def file_name(name: str, key: str) -> str:
    """Returns the name of a set's file: a_<key>.b for a.b; a.b for key ""."""
    root, extension = os.path.splitext(name)
    return f"{root}_{key}{extension}" if key else name


def label_names(processor: DataProcessor) -> list[str]:
    """Returns the task's labels, none in regression.

    Raises:
        UserError: they cannot be told apart, or are too few.
    """
    least = kinds.find(processor.kind).least_labels
    if not least:
        return []
    names = processor.get_labels()
    name = type(processor).__name__
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
) -> list[Sequence[float]]:
    """Returns the numbers of each example's label.

    Args:
        examples: all of a set.
        kind: what is said of a text.
        names: the task's labels; their places are their numbers.
        max_seq_length: must have room for a piece of each text.

    Raises:
        UserError: an example cannot become a record.
    """
    numbers = {name: number for number, name in enumerate(names)}
    found = []
    for example in examples:
        found.append(kind.label_ids(example, numbers))
        if example.text_b and max_seq_length < 5:
            raise UserError(
                "--max_seq_length must be at least 5 for pairs of texts: "
                f"[CLS] a [SEP] b [SEP]. Received: {max_seq_length}."
            )
    return found


def _with_others(
    processor: DataProcessor, set_type: str, data_dir: str | None
) -> dict[str, Sequence[InputExample]]:
    """Returns the task's set, and those of `also` whose files are there."""
    found = {"": _examples(processor, set_type, data_dir)}
    for name, other in processor.also.items():
        also = other()
        path = os.path.join(data_dir or "", also.files[set_type])
        if file_bytes.exists(path):
            found[name] = _examples(also, set_type, data_dir)
    return found


def _examples(
    processor: DataProcessor, set_type: str, data_dir: str | None
) -> Sequence[InputExample]:
    name = type(processor).__name__
    try:
        get = getattr(processor, f"get_{set_type}_examples")
        examples = list(get(data_dir))
    except NotImplementedError as error:
        raise UserError(
            f"The task has no {set_type} set ({name}), which "
            f"--{_FLAGS[set_type]} needs; leave that flag out."
        ) from error
    if not examples:
        raise UserError(
            f"Expected examples for --{_FLAGS[set_type]}. Received: none from "
            f"{name}.get_{set_type}_examples({data_dir!r})."
        )
    return examples
