"""What the outputs of a model are called that a run begins with.

Its labels stand beside its head; those of the data must be the same, or the
head grows. Imports without TensorFlow.
"""

from typing import TYPE_CHECKING

from absl import logging

from bert.data.tables import rows
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import labels as label_files
from bert.tasks.config import FineTuningConfig

if TYPE_CHECKING:
    from bert.training.head_check import Start


def of_start(start: "Start") -> label_files.Labels | None:
    """Returns the labels that stand beside the head that a run begins with.

    Without a head, or without labels.txt, None. What lies in an output_dir
    that has no checkpoint is not a model's.
    """
    from bert.model_folder import locate

    if start.reader is None or start.num_outputs is None:
        return None
    return locate.labels(task_paths.folder_of(start.reader.prefix))


def known(
    config: FineTuningConfig, flag: str | None, start: "Start"
) -> label_files.Labels | None:
    """Returns the labels that are known before the examples are read.

    Args:
        config: the flags' values.
        flag: the value of --labels.
        start: the checkpoint that the run begins with.

    Returns:
        Those of --labels; else those kept with the model where it is only
        used, or trained on in output_dir; None: the training set tells them.

    Raises:
        UserError: see `labels.choose`.
    """
    kept = of_start(start)
    goes_on = start.is_resumed and kept is not None
    first = to_keep(config, start)
    if first or (flag is not None and _insists(config, start)):
        kept = None
    found = label_files.choose(
        flag,
        kept,
        from_training_set=config.do_train and not goes_on,
        may_grow=_may_grow(config, start),
    )
    return label_files.grown(first, found) if first and found else found


def to_keep(
    config: FineTuningConfig, start: "Start"
) -> label_files.Labels | None:
    """Returns the labels that a head has which grows; None: none grows.

    Raises:
        UserError: the model has no labels, or not as many as its head.
    """
    if not config.grow_labels or start.is_resumed:
        return None
    kept = of_start(start)
    if kept is None or len(kept.names) != start.num_outputs:
        lack = "labels.txt beside it" if start.num_outputs else "such a head"
        if kept:
            lack = f"a head for the {len(kept.names)} labels beside it"
        raise UserError(
            "--grow_labels needs an --init_checkpoint that was fine-tuned for "
            f"this task, with its labels. Received: {config.init_checkpoint}, "
            f"without {lack}; leave the flag out, or name another."
        )
    return kept


def settled(
    config: FineTuningConfig, labels: label_files.Labels, start: "Start"
) -> label_files.Labels:
    """Returns the labels of a model, by those of its data.

    Raises:
        UserError: they are not those of the head to begin with, which does not
            grow; or see `to_keep`. Not where the run goes on whatever
            its labels were (--force_resume).
    """
    first = to_keep(config, start)
    if first:
        found = label_files.grown(first, labels)
        logging.info(
            "--grow_labels: the head keeps the %d labels of %s; new: %s.",
            *(len(first.names), first.origin),
            rows.some(found.names[len(first.names) :]) or "none",
        )
        return found
    if not _insists(config, start):
        label_files.check_kept(
            labels, of_start(start), _may_grow(config, start)
        )
    return labels


def _may_grow(config: FineTuningConfig, start: "Start") -> bool:
    return config.do_train and not start.is_resumed


def _insists(config: FineTuningConfig, start: "Start") -> bool:
    return config.force_resume and start.is_resumed
