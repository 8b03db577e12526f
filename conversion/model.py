"""A model between two formats, and which of a file's weights it takes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from bert.conversion import huggingface_names as names
from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.modeling import checkpoint_names
from bert.modeling.config import BertConfig
from bert.tasks import spec
from bert.tasks.spec import Spec


class Model(NamedTuple):
    """Everything that either format says of a model.

    Attributes:
        config: its sizes.
        tensors: float32, by the names in the original's checkpoints.
        vocab: the text of vocab.txt.
        task: what the model is for.
        labels: their names, in order; none where the task has none, or nothing
            tells them.
    """

    config: BertConfig
    tensors: Mapping[str, np.ndarray]
    vocab: bytes
    task: Task
    labels: Sequence[str] = ()

    @property
    def head(self) -> Spec | None:
        """The task, if it has a head of fine-tuning."""
        return self.task.spec if self.task.spec.head else None

    @property
    def num_labels(self) -> int:
        """Rows of the head of fine-tuning, L; 0 where there is none."""
        if self.head is None:
            return 0
        return len(self.tensors[f"{self.head.scope}output_bias"])

    def weights_by_part(self) -> dict[str, list[names.Weight]]:
        """Returns the weights of each part that the model has."""
        parts = names.weights_by_part(self.config, self.head, self.num_labels)
        return {
            part: weights
            for part, weights in parts.items()
            if weights[0].name in self.tensors
        }


def make_task(
    row: Spec,
    do_lower_case: bool | None,
    max_length: int,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Task:
    """Returns what a model is for; most options have their defaults.

    Args:
        row: the task.
        do_lower_case: None where nothing says it yet.
        max_length: the longest sequence that the model takes. Where a text is
            cut into windows that overlap, they need not be as long.
        known: what is said of it. Of this those of `Spec.choices` are kept,
            by which the model was trained.

    Raises:
        UserError: one of them has a value that is not one of its choices.
    """
    kept = {name: known[name] for name in row.choices if name in known}
    for name, value in kept.items():
        if value not in row.choices[name]:
            raise UserError(
                f"{name} must be {' or '.join(row.choices[name])}. "
                f"Received: {value!r}."
            )
    if "doc_stride" in row.options:
        max_length = min(row.max_seq_length, max_length)
    return Task(
        task=row.task,
        kind=row.kind,
        do_lower_case=do_lower_case,
        max_seq_length=max_length,
        options={**row.options, **kept},
    )


def choose_weights(
    config: BertConfig,
    task: str | None,
    head: Spec | None,
    num_labels: int,
    given: Collection[str],
    name_of: Callable[[names.Weight], str],
    source: str,
    force: bool = False,
    unwanted: Collection[str] = (),
) -> tuple[Spec, list[names.Weight]]:
    """Returns the task and its weights; says what else there is.

    Args:
        config: the model's sizes.
        task: its name; None: what the head or the weights are of.
        head: that of fine-tuning, if there is one.
        num_labels: the head's, L.
        given: the names that there are.
        name_of: gives a weight's name in `given`.
        source: the file, for messages.
        force: whether to leave out what the encoder here lacks.
        unwanted: parts that the model was trained without, on purpose.

    Raises:
        UserError: a part that is wanted is there in part only, or the encoder
            is missing, or has tensors that it lacks here.
    """
    standard = {names.POOLER, names.MASKED_LM, names.NEXT_SENTENCE}
    parts = names.weights_by_part(config, head, num_labels)
    if head is None and task is None:
        has_head = any(
            name_of(weight) in given
            for part in (names.MASKED_LM, names.NEXT_SENTENCE)
            for weight in parts[part]
        )
        task = "pretraining" if has_head else "features"
    row = head or spec.find(task or "")
    # The pooler goes along even where the task makes nothing of it: the
    # original's checkpoints have it.
    kept = standard if row.is_pretraining else {names.POOLER}
    chosen: list[names.Weight] = []
    left_out: list[str] = []
    known: set[str] = set()
    for part, weights in parts.items():
        found = [weight for weight in weights if name_of(weight) in given]
        known.update(map(name_of, found))
        if found and part in standard - kept:
            left_out.append(part)
        elif found or part == names.ENCODER:
            _check_whole(part, weights, found, name_of, source)
            chosen += weights
        elif part not in unwanted and (part in kept or row.head is None):
            logging.warning(
                "The model has no %s; training starts it afresh.", part
            )
    if left_out:
        logging.warning(
            "Left out, as a model for %s has no use for it: %s.",
            row.task,
            ", ".join(left_out),
        )
    _report_unknown(sorted(set(given) - known), source, force)
    return row, chosen


def _check_whole(
    part: str,
    weights: Sequence[names.Weight],
    found: Sequence[names.Weight],
    name_of: Callable[[names.Weight], str],
    source: str,
) -> None:
    missing = sorted(set(map(name_of, weights)) - set(map(name_of, found)))
    if missing:
        raise UserError(
            f"{source} lacks {len(missing)} of the {part}'s {len(weights)} "
            f"tensors, such as {missing[0]}; does its configuration belong to "
            "it?"
        )


def _report_unknown(unknown: Sequence[str], source: str, force: bool) -> None:
    foreign = [
        name
        for name in unknown
        if name.replace("/", ".").startswith(
            ("bert.encoder.", "bert.embeddings.")
        )
    ]
    if foreign and not force:
        raise UserError(
            f"{source} has {len(foreign)} tensors in the encoder that BERT "
            f"with these sizes has not, such as {foreign[0]}; does its "
            "configuration belong to it? --force leaves them out."
        )
    if unknown:
        logging.warning(
            "%d unknown tensors are not converted: %s",
            len(unknown),
            checkpoint_names.some(unknown),
        )
