"""Where training starts: its own checkpoint, another one, or random weights."""

import contextlib
import dataclasses
import os
import secrets
import zlib
from collections.abc import Collection, Iterator
from typing import NamedTuple

import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.errors import UserError, one_line
from bert.files import atomic_files, run_lock, task_paths
from bert.modeling import checkpoint, checkpoint_paths
from bert.modeling.checkpoint_names import has_moments
from bert.training import checkpointing, moments, strategy
from bert.training.loop import Trained

_details = logging.get_absl_logger().getChild("details")

# How the flags end that name input: it may lie elsewhere on each machine.
_INPUTS = (
    *("_file", "checkpoint", "data_dir", "records_dir", "teacher_dir"),
    "distill_data",
)
_LOCK = ".lock-bert-training"


class Position(NamedTuple):
    """Where training starts.

    Attributes:
        reader: the checkpoint in output_dir to go on from, or None.
        step: updates done.
        state: seed, examples seen, and what else a checkpoint's sidecar says.
        new_moments: whether Adam's moments start at zero, as the checkpoint
            has none.
    """

    reader: checkpoint.Reader | None
    step: int
    state: checkpointing.RunState
    new_moments: bool = False


def prepare_output_dir(output_dir: str) -> None:
    """Makes output_dir, and checks that files can be written there.

    Raises:
        UserError: it is a file, or nothing can be written there, or no
            checkpoint could be read from there.
    """
    checkpoint_paths.check_path(output_dir)
    trial = os.path.join(output_dir, checkpointing.TEMPORARY_PREFIX + "check")
    try:
        with atomic_files.leaving_no_folder(output_dir):
            tf.io.gfile.makedirs(output_dir)
            atomic_files.write_text(trial, "")
            tf.io.gfile.remove(trial)
    except (tf.errors.OpError, OSError) as error:
        reason = one_line(getattr(error, "message", error))
        raise UserError(
            f"--output_dir={output_dir} must be a folder that can be written "
            f"to ({reason})."
        ) from error


@contextlib.contextmanager
def alone(output_dir: str, files: Collection[str] = ()) -> Iterator[None]:
    """Keeps other trainings out of output_dir, which exists.

    What killed ones have left there is removed.

    Args:
        output_dir: gets the lock.
        files: what the training writes there beside checkpoints.

    Raises:
        UserError: another one is going on.
    """
    lock = os.path.join(output_dir, _LOCK)
    with run_lock.alone(lock, f"--output_dir={output_dir}"):
        for folder in (output_dir, task_paths.best_folder(output_dir)):
            checkpointing.remove_leftovers(folder, files)
        yield


def find_position(config: TrainingConfig) -> Position:
    """Returns where training goes on, the same on all workers.

    Call it in a strategy's scope.

    Raises:
        UserError: the newest checkpoint in output_dir cannot be read, or is
            no training run's; or workers have other flags, or see other
            checkpoints, than the chief.
    """
    position = _agree(_read_position(config), config)
    before = position.state.optimizer
    if position.reader and before not in (None, config.optimizer):
        logging.warning(
            "The run was trained with --optimizer=%s; from here on %s, with "
            "the moments of the other.",
            before,
            config.optimizer,
        )
    return position._replace(
        state=dataclasses.replace(position.state, optimizer=config.optimizer)
    )


def _read_position(config: TrainingConfig) -> Position:
    """Reads from output_dir's newest checkpoint how far training is.

    The checkpoints of the original have no sidecar: there the examples seen
    follow from the step.
    """
    seed = config.random_seed
    prefix = checkpointing.newest(config.output_dir)
    if prefix is None:
        state = checkpointing.RunState(_seed(seed), examples_seen=0)
        logging.info("Random seed: %d", state.seed)
        return Position(None, 0, state)
    reader = checkpoint.Reader(prefix)
    step = checkpointing.step_of(reader)
    kept = checkpointing.read_state(reader)
    state = kept or checkpointing.RunState(
        _seed(seed), examples_seen=step * config.train_batch_size
    )
    if kept is None:
        logging.info(
            "%s has no %s file: %d examples seen follow from step %d and "
            "batch size %d.",
            prefix,
            checkpointing.SIDECAR_SUFFIX,
            state.examples_seen,
            step,
            config.train_batch_size,
        )
    if seed is not None and seed != state.seed:
        logging.warning(
            "The run in %s has seed %d; from here on --random_seed=%d.",
            config.output_dir,
            state.seed,
            seed,
        )
        state = dataclasses.replace(state, seed=seed)
    logging.info("Random seed: %d", state.seed)
    new_moments = not (config.needs_moments or has_moments(reader.shapes))
    return Position(reader, step, state, new_moments)


def _agree(position: Position, config: TrainingConfig) -> Position:
    """Gives every worker the chief's seed; checks that all else is the same."""
    shared = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if not field.name.endswith(_INPUTS)
    }
    mark = zlib.crc32(repr(shared).encode())
    if strategy.broadcast_from_chief(mark) != mark:
        logging.error("The flags of this worker: %s", shared)
        raise UserError(
            "All workers must be started with the same flags. This one's, in "
            "the line above, differ from the chief's."
        )
    step = strategy.broadcast_from_chief(position.step)
    seed = strategy.broadcast_from_chief(position.state.seed)
    if step != position.step:
        raise UserError(
            "All workers must see the same --output_dir. This one's newest "
            f"checkpoint is of step {position.step}, the chief's of step "
            f"{step}."
        )
    return position._replace(
        state=dataclasses.replace(position.state, seed=seed)
    )


def _seed(random_seed: int | None) -> int:
    """Returns the seed asked for, or one that is drawn."""
    return secrets.randbelow(2**31) if random_seed is None else random_seed


def load(
    position: Position,
    trained: Trained,
    init_checkpoint: str | None,
    grows: bool = False,
) -> None:
    """Loads the values of model and optimizer, and logs where they are from.

    A checkpoint in output_dir wins over init_checkpoint, from which only
    weights are taken, and may be those of a smaller head if that `grows`.

    Raises:
        UserError: the checkpoint is not one of this model.
    """
    model, optimizer, loss_scale, _ = trained
    tensors = trained.tensors()
    state = position.state
    loaded: tuple[str, ...] = ()
    if position.reader:
        restored = moments.without(tensors) if position.new_moments else tensors
        checkpointing.restore(position.reader, restored, model.backbone.scope)
        optimizer.skipped_steps.assign(state.skipped_steps)
        if loss_scale and state.loss_scale:
            loss_scale.scale.assign(state.loss_scale)
            loss_scale.good_steps.assign(state.good_steps)
        if position.new_moments:
            logging.warning(
                "%s has no moments: Adam's start at zero, so the run will not "
                "be as if it had not stopped.",
                position.reader.prefix,
            )
        logging.info(
            "Resumed from %s: weights, %sglobal_step = %d; %d examples seen.",
            position.reader.prefix,
            "" if position.new_moments else "Adam's moments and ",
            position.step,
            state.examples_seen,
        )
        if init_checkpoint:
            logging.info("--init_checkpoint is not used: the run goes on.")
    elif init_checkpoint:
        report = checkpoint.load_weights(model, init_checkpoint, grows)
        report.log(trains_head=True)
        loaded = report.loaded
    else:
        logging.info("No checkpoint: weights are initialized at random.")
    _details.info("**** Trainable Variables ****")
    for name in optimizer.variables:
        mark = ", *INIT_FROM_CKPT*" if name in loaded else ""
        shape = tuple(tensors[name].shape)
        _details.info("  name = %s, shape = %s%s", name, shape, mark)
