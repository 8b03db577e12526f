"""Where a training run starts: its own checkpoint, another's, or nothing."""

import dataclasses
import secrets
import zlib

import keras
import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.training import checkpointing, strategy
from bert.training.loss_scale import LossScale
from bert.training.optimization import AdamWeightDecay


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a run stands before its first step.

    Attributes:
        reader: the checkpoint in output_dir to go on from, or None.
        step: updates done.
        state: the run's seed, and the examples it has seen.
    """

    reader: checkpoint.Reader | None
    step: int
    state: checkpointing.RunState


def prepare_output_dir(output_dir: str) -> None:
    """Makes the folder of results, and makes sure of it before any work.

    Raises:
        UserError: it is a file, or nothing can be written there, or no
            checkpoint could be read from there.
    """
    checkpoint.check_path(output_dir)
    try:
        tf.io.gfile.makedirs(output_dir)
        checkpointing.check_writable(output_dir)
    except (tf.errors.OpError, OSError) as error:
        reason = " ".join(str(getattr(error, "message", error)).split())
        raise UserError(
            f"--output_dir={output_dir} must be a folder that can be written "
            f"to ({reason})."
        ) from error


def find_start(
    output_dir: str, train_batch_size: int, random_seed: int | None
) -> Start:
    """Reads from output_dir's newest checkpoint where its run stands.

    Args:
        output_dir: the run's folder.
        train_batch_size: rows of a batch; tells how many examples a run
            without a sidecar (one of the original's) has seen.
        random_seed: the seed asked for, or None: the run's own, or drawn.

    Raises:
        UserError: the checkpoint cannot be read, or is no training run's.
    """
    prefix = checkpointing.newest(output_dir)
    if prefix is None:
        state = checkpointing.RunState(_seed(random_seed), examples_seen=0)
        logging.info("Random seed: %d", state.seed)
        return Start(None, 0, state)
    reader = checkpoint.Reader(prefix)
    step = checkpointing.step_of(reader)
    state = checkpointing.read_state(reader)
    if state is None:
        state = checkpointing.RunState(
            seed=_seed(random_seed),
            examples_seen=step * train_batch_size,
        )
        logging.info(
            "%s has no %s file: %d examples seen follow from step %d and "
            "batch size %d.",
            prefix,
            checkpointing.SIDECAR_SUFFIX,
            state.examples_seen,
            step,
            train_batch_size,
        )
    if random_seed is not None and random_seed != state.seed:
        logging.warning(
            "The run in %s has seed %d; from here on --random_seed=%d.",
            output_dir,
            state.seed,
            random_seed,
        )
        state = dataclasses.replace(state, seed=random_seed)
    logging.info("Random seed: %d", state.seed)
    return Start(reader, step, state)


def agree(start: Start, config: TrainingConfig) -> Start:
    """Gives every worker the chief's seed, and makes sure of the rest.

    Raises:
        UserError: workers have other flags, or see other checkpoints, than the
            chief.
    """
    shared = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(TrainingConfig)
        # Input may lie elsewhere on each machine.
        if not field.name.endswith(("_file", "checkpoint"))
    }
    mark = zlib.crc32(repr(shared).encode())
    if strategy.same_everywhere(mark) != mark:
        raise UserError(
            "All workers must be started with the same flags. This one's "
            f"differ from the chief's: {shared}."
        )
    step = strategy.same_everywhere(start.step)
    seed = strategy.same_everywhere(start.state.seed)
    if step != start.step:
        raise UserError(
            "All workers must see the same --output_dir. This one's newest "
            f"checkpoint is of step {start.step}, the chief's of step {step}."
        )
    return dataclasses.replace(
        start, state=dataclasses.replace(start.state, seed=seed)
    )


def with_optimizer(start: Start, name: str) -> Start:
    """Notes a run's optimizer, and warns where it was another one."""
    before = start.state.optimizer
    if start.reader and before not in (None, name):
        logging.warning(
            "The run was trained with --optimizer=%s; from here on %s, with "
            "the moments of the other.",
            before,
            name,
        )
    return dataclasses.replace(
        start, state=dataclasses.replace(start.state, optimizer=name)
    )


def _seed(random_seed: int | None) -> int:
    """Returns the seed asked for, or one that is drawn."""
    return secrets.randbelow(2**31) if random_seed is None else random_seed


def load(
    start: Start,
    model: keras.layers.Layer,
    optimizer: AdamWeightDecay,
    init_checkpoint: str | None,
    loss_scale: LossScale | None = None,
) -> None:
    """Gives model and optimizer their values and says where they came from.

    A checkpoint in output_dir wins over init_checkpoint, from which only
    weights are taken.

    Raises:
        UserError: the checkpoint is not one of this model.
    """
    variables = checkpoint.named_variables(model)
    loaded: tuple[str, ...] = ()
    if start.reader:
        checkpointing.restore(start.reader, variables, optimizer.state())
        optimizer.skipped_steps.assign(start.state.skipped_steps)
        if loss_scale and start.state.loss_scale:
            loss_scale.scale.assign(start.state.loss_scale)
            loss_scale.good_steps.assign(start.state.good_steps)
        logging.info(
            "Resumed from %s: weights, Adam's moments and global_step = %d; "
            "%d examples seen.",
            start.reader.prefix,
            start.step,
            start.state.examples_seen,
        )
        if init_checkpoint:
            logging.info("--init_checkpoint is not used: the run goes on.")
    elif init_checkpoint:
        report = checkpoint.load_weights(model, init_checkpoint)
        report.log()
        loaded = report.loaded
    else:
        logging.info("No checkpoint: weights are initialized at random.")
    logging.info("**** Trainable Variables ****")
    for name in optimizer.variables:
        mark = ", *INIT_FROM_CKPT*" if name in loaded else ""
        shape = tuple(variables[name].shape)
        logging.info("  name = %s, shape = %s%s", name, shape, mark)
