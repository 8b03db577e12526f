"""The sets of examples that a command asks a task for."""

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bert.errors import UserError
from bert.files import file_bytes
from bert.model_folder import labels as label_files
from bert.tasks.classification.features import label_ids
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


def check_labels(processor: DataProcessor) -> list[str]:
    """Returns the task's labels, none in regression.

    Raises:
        UserError: they cannot be told apart, or are too few.
    """
    if processor.kind == "regression":
        return []
    names = processor.get_labels()
    least = 1 if processor.kind == "multi_label" else 2
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
        UserError: see `labels.class_weights`; or the task has no labels.
    """
    if text is None or not train:
        return None
    if processor.kind == "regression":
        raise UserError(
            "--class_weights is for labels; those of the task are numbers. "
            f"Received: {text!r}; leave it out."
        )
    own = [
        [e.label] if processor.kind == "classification" else e.label or []
        for e in train
    ]
    return label_files.class_weights(text, processor.kind, names, own)


def check_examples(
    sets: ExampleSets, labels: Sequence[str], kind: str, max_seq_length: int
) -> None:
    """Raises UserError for the first example that cannot become a record.

    Args:
        sets: all that the command is to work with.
        labels: the task's.
        kind: see `DataProcessor`.
        max_seq_length: must have room for a piece of each text.
    """
    everything = [sets.train, *sets.dev.values(), *sets.test.values()]
    for example in itertools.chain.from_iterable(everything):
        label_ids(example, labels, kind)
        if example.text_b and max_seq_length < 5:
            raise UserError(
                "--max_seq_length must be at least 5 for pairs of texts: "
                f"[CLS] a [SEP] b [SEP]. Received: {max_seq_length}."
            )


def _with_others(
    processor: DataProcessor, set_type: str, data_dir: str | None
) -> dict[str, Sequence[InputExample]]:
    """Returns the task's set, and those of `also` whose files are there."""
    found = {"": _examples(processor, set_type, data_dir)}
    for name, other in processor.also.items():
        also = other()
        path = os.path.join(data_dir, also.files[set_type])
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
