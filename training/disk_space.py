"""What the checkpoints of a run will take on disk, and whether that is free."""

import glob
import math
import os
import shutil
from typing import NamedTuple

from absl import logging

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.files import file_bytes, task_paths
from bert.modeling.task_model import TaskModel
from bert.training import checkpointing
from bert.training.head_check import Start


class Need(NamedTuple):
    """What the checkpoints of a run take, in bytes.

    Attributes:
        number: how many of them there are in the end.
        weights: a checkpoint without Adam's moments.
        moments: those of one.
        with_moments: how many checkpoints have them.
        best: whether the best weights are kept, too.
        replaces: whether an older one is removed once a new one is saved.
    """

    number: int
    weights: int
    moments: int
    with_moments: int
    best: bool
    replaces: bool

    @property
    def has_moments(self) -> bool:
        """Whether the next checkpoint has moments."""
        return self.with_moments > 0

    @property
    def one(self) -> int:
        """The next checkpoint."""
        return self.weights + self.moments * self.has_moments

    @property
    def at_end(self) -> int:
        """All that is left in the end."""
        number = self.number + self.best
        return number * self.weights + self.with_moments * self.moments

    @property
    def at_most(self) -> int:
        """All, while a checkpoint is saved."""
        # The one before loses its moments once the new one is whole.
        drops = self.with_moments == 1 < self.number
        return self.at_end + self.one * (self.replaces or drops)

    def __str__(self) -> str:
        parts = [f"{self.number} x {size(self.weights)}"]
        if self.has_moments:
            moments = f"{self.with_moments} x {size(self.moments)}"
            parts.append(f"Adam's moments {moments}")
        if self.best:
            parts.append(f"the best {size(self.weights)}")
        while_saved = f", {size(self.at_most)} while one is saved"
        more = while_saved * (self.at_most > self.at_end)
        return f"{size(self.at_end)} ({' + '.join(parts)}{more})"


def need(
    config: TrainingConfig, model: TaskModel, saves: int, kept: int
) -> Need:
    """Computes what a run's checkpoints take.

    Args:
        config: of the run.
        model: needs no values.
        saves: how often the run will save.
        kept: how many checkpoints there are before.
    """
    there = saves + kept
    number = min(there, config.keep_checkpoint_max or there)
    with_moments = {"all": number, "last": 1, "none": 0}[config.save_optimizer]
    return Need(
        number,
        sum(4 * math.prod(v.shape) for v in model.variables),
        sum(8 * math.prod(v.shape) for v in model.trainable_variables),
        with_moments,
        best=config.save_best is not None,
        replaces=there > number,
    )


def check(
    config: TrainingConfig, model: TaskModel, start: Start, last_step: int
) -> None:
    """Says what a run's checkpoints will take on disk.

    Args:
        config: of the run; its output_dir may not exist.
        model: what is trained; needs no values.
        start: the checkpoint that the run begins with.
        last_step: where training ends; 0: nothing is trained.

    Raises:
        UserError: not even the next checkpoint has room.
    """
    first = -1  # a new run saves step 0
    if start.reader and start.is_resumed:
        first = checkpointing.step_of(start.reader)
    if first >= last_step or not last_step:
        return
    every = config.save_checkpoints_steps
    saves = last_step // every - first // every + (last_step % every > 0)
    output_dir = config.output_dir
    kept = checkpointing.listed_steps(output_dir)
    needed = need(config, model, saves, len(kept))
    free = _free(output_dir)
    logging.info(
        "Checkpoints will take %s of disk in %s%s.",
        needed,
        output_dir,
        "" if free is None else f", where {size(free)} are free",
    )
    if free is None:
        return
    if free < needed.one:
        other = size(needed.weights)
        raise UserError(
            f"Expected room for a checkpoint of {size(needed.one)}. Received: "
            f"--output_dir={output_dir}, where {size(free)} are free; make "
            "room, or name a folder on another disk"
            + f" (--save_optimizer=none takes {other})" * needed.has_moments
            + "."
        )
    taken = [checkpointing.prefix_of(output_dir, step) for step in kept]
    taken += filter(
        None, [checkpointing.newest(task_paths.best_folder(output_dir))]
    )
    before = sum(map(_size_of, taken))
    if free + before < needed.at_most:
        logging.warning(
            "That is not free: the training will end when the disk is full. "
            "Make room, lower --keep_checkpoint_max (%d), raise "
            "--save_checkpoints_steps (%d), or say --save_optimizer=last.",
            config.keep_checkpoint_max,
            every,
        )


def size(num_bytes: int) -> str:
    """Returns a size for people, of two or three digits."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if num_bytes >= scale:
            number = num_bytes / scale
            digits = 0 if number >= 10 else 1
            return f"{number:.{digits}f} {unit}"
    return f"{num_bytes} bytes"


def _free(folder: str) -> int | None:
    """Returns the bytes that are free for a folder; None: nobody knows."""
    if file_bytes.is_remote(folder):
        return None
    folder = os.path.abspath(folder)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    usage = shutil.disk_usage(folder)
    return usage.free if usage.total else None


def _size_of(prefix: str) -> int:
    return sum(map(os.path.getsize, glob.glob(glob.escape(prefix) + ".data-*")))
