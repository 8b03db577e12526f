"""What a run of a script begins with, and which weights it uses.

Training goes on from the newest checkpoint in output_dir. Evaluation,
prediction and export follow the rule of `model_folder.weights`.
"""

import dataclasses
from typing import NamedTuple, TypeVar

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import weights
from bert.modeling import checkpoint_paths
from bert.modeling.checkpoint_reader import Reader
from bert.training import checkpointing
from bert.training.head_check import Start

_Config = TypeVar("_Config", bound=TrainingConfig)


class Used(NamedTuple):
    """The weights that a run evaluates, predicts with and exports.

    Attributes:
        prefix: the checkpoint's.
        is_trained: whether it is in output_dir; else it is init_checkpoint.
    """

    prefix: str
    is_trained: bool


def start(config: TrainingConfig) -> Start:
    """Returns what a run of a script begins with.

    A training goes on from output_dir's newest checkpoint, or starts from
    init_checkpoint; other runs take what `used` returns.

    Raises:
        UserError: there is no such checkpoint; or a training's output_dir is
            one task's of a model of several.
    """
    first = (
        weights.choose(config.init_checkpoint)
        if config.init_checkpoint
        else None
    )
    if not config.do_train:
        folder = _folder_of_use(config)
        return Start(
            Reader(weights.choose(folder, config.checkpoint)),
            is_resumed=folder == config.output_dir,
        )
    if task := checkpoint_paths.task_in(config.output_dir):
        raise UserError(
            f"--output_dir={config.output_dir} is one task's folder of a model "
            "of several; name another one, and, to go on from that task, "
            f"--init_checkpoint={task}."
        )
    if config.checkpoint == "best" and not (
        config.save_best or weights.best_of(config.output_dir)
    ):
        raise UserError(
            "--checkpoint=best needs best weights, which a training with "
            "--save_best keeps. Received: neither the flag nor such weights in "
            f"--output_dir={config.output_dir}; leave --checkpoint out."
        )
    newest = checkpointing.newest(config.output_dir)
    prefix = newest or first
    reader = Reader(prefix) if prefix else None
    return Start(reader, is_resumed=bool(newest))


def with_start(config: _Config) -> _Config:
    """Returns a configuration to train by: init_checkpoint is a prefix.

    A log line says which one of a folder it is.
    """
    if not config.init_checkpoint or checkpointing.newest(config.output_dir):
        return config
    return dataclasses.replace(
        config, init_checkpoint=weights.find(config.init_checkpoint)
    )


def used(config: TrainingConfig) -> Used:
    """Returns what a run evaluates, predicts with and exports.

    Those weights of output_dir that --checkpoint names, or else the rule;
    where there are none, init_checkpoint's, likewise. Call it after training.

    Raises:
        UserError: there are none, or --save_best asks for the best weights by
            a metric, and there are none by it.
    """
    folder = _folder_of_use(config)
    return Used(
        weights.find(folder, config.checkpoint), folder == config.output_dir
    )


def _folder_of_use(config: TrainingConfig) -> str:
    """Returns where the weights are that a run uses; see `used`."""
    output_dir, init = config.output_dir, config.init_checkpoint
    is_trained = weights.best_of(output_dir) or checkpointing.newest(output_dir)
    if not is_trained and not init:
        advice = "give one, or train first (--do_train)"
        if named := checkpoint_paths.task_in(output_dir):
            advice = f"for this task of several give {named}"
        raise UserError(
            "There is no trained model: no checkpoint in --output_dir="
            f"{output_dir} and no --init_checkpoint; {advice}."
        )
    if config.save_best and config.checkpoint in (None, "best"):
        _check_best(output_dir, config.save_best)
    return output_dir if is_trained or not init else init


def _check_best(output_dir: str, save_best: str) -> None:
    """Raises UserError where there are no best weights by a metric."""
    best = weights.best_of(output_dir)
    state = checkpointing.read_state(Reader(best)) if best else None
    metric = state.best_metric if state else None
    if metric != save_best:
        found = f"those by {metric}" if metric else "none"
        raise UserError(
            f"Expected the best weights by --save_best={save_best} in "
            f"{task_paths.best_folder(output_dir)}. Received: {found}; leave "
            "the flag out, or name the metric of the training, or another "
            "--checkpoint (newest)."
        )
