"""Checkpoints of a training run: saved atomically, resumed from.

Files of step N in output_dir: `model.ckpt-N.index`, `.data-00000-of-00001`
and the sidecar `model.ckpt-N.run.json`; `checkpoint` names the newest.
"""

import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from absl import logging

from bert.errors import UserError, one_line
from bert.files import atomic_files, file_bytes, task_paths
from bert.files.file_bytes import gfile
from bert.modeling import checkpoint_names, checkpoint_paths, checkpoint_reader
from bert.modeling.checkpoint_names import (
    ADAM_SUFFIXES,
    GLOBAL_STEP,
    Others,
    has_moments,
)
from bert.modeling.checkpoint_reader import Reader

# TensorFlow is imported where it is used: checkpoints are found without.
if TYPE_CHECKING:
    import tensorflow as tf

_details = logging.get_absl_logger().getChild("details")

SIDECAR_SUFFIX = ".run.json"
_STEP = re.compile(r"model\.ckpt-(\d+)\.index$")
# What belongs to an index, and is of no use without.
_PART = re.compile(r"(model\.ckpt-\d+)(\.data-00000-of-00001|\.run\.json)$")
# Reserved: files so named in output_dir are removed without asking.
TEMPORARY_PREFIX = "tmp-bert-"
# Doubled for ever it would be infinite, and no step would count again.
LARGEST_LOSS_SCALE = 2.0**100
# Of the numbers of a sidecar: their types, the least and the largest.
_COUNT = ((int,), 0, 2**62)
_BOUNDS = {
    "seed": ((int,), 0, 2**31 - 1),
    "examples_seen": _COUNT,
    "best_step": _COUNT,
    "evaluations_without_best": _COUNT,
    "good_steps": _COUNT,
    "skipped_steps": _COUNT,
    "best_value": ((int, float), -sys.float_info.max, sys.float_info.max),
    "best_loss": ((int, float), -sys.float_info.max, sys.float_info.max),
    # An infinite one would be halved for ever.
    "loss_scale": ((int, float), 1.0, LARGEST_LOSS_SCALE),
}


@dataclasses.dataclass(frozen=True)
class RunState:
    """What a run needs to resume, besides weights, moments and step.

    Attributes:
        seed: decides shuffling and dropout.
        examples_seen: examples trained on, over all epochs.
        best_metric: the metric that --save_best named.
        best_value: its best value so far.
        best_loss: the loss of the weights that are kept, where it is known.
        best_step: their step.
        evaluations_without_best: evaluations since that value was reached.
        loss_scale: under float16, what the loss is multiplied by.
        good_steps: steps since that changed.
        skipped_steps: steps that changed nothing.
        optimizer: the --optimizer whose moments these are.
    """

    seed: int
    examples_seen: int
    best_metric: str | None = None
    best_value: float | None = None
    best_loss: float | None = None
    best_step: int | None = None
    evaluations_without_best: int = 0
    loss_scale: float | None = None
    good_steps: int = 0
    skipped_steps: int = 0
    optimizer: str | None = None

    def __post_init__(self):
        for name, (kinds, least, most) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None and getattr(type(self), name, 0) is None:
                continue  # as it is by default
            # To Python, True is an int. NaN is within no bounds.
            if type(value) not in kinds or not least <= value <= most:
                raise ValueError(f"{name}: {value!r:.40} is out of range")
        for name in ("best_metric", "optimizer"):
            if not isinstance(getattr(self, name), str | None):
                raise ValueError(f"{name} is no name")
        if (self.best_metric is None) != (self.best_value is None):
            raise ValueError("best_metric and best_value belong together")

    def to_json(self) -> str:
        """Returns the text of a sidecar, which leaves out the defaults."""
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        values = dataclasses.asdict(self)
        kept = {k: v for k, v in values.items() if v != defaults[k]}
        return json.dumps(kept) + "\n"


def newest(output_dir: str) -> str | None:
    """Returns the prefix of the newest checkpoint in output_dir, or None.

    That is the one that `checkpoint` names. Checkpoints without that file
    (a copied folder) count, too: the one with the highest step is taken, as a
    run that starts at 0 would overwrite them.
    """
    if not file_bytes.is_folder(output_dir):
        return None
    prefix = checkpoint_paths.latest_in(output_dir)
    if prefix:
        return prefix
    steps = sorted(_steps(output_dir))
    return prefix_of(output_dir, steps[-1]) if steps else None


def save(
    output_dir: str,
    step: int,
    tensors: "Mapping[str, tf.Variable]",
    state: RunState,
    keep: int = 5,
) -> str:
    """Writes the checkpoint of a step and returns its prefix.

    Everything is written under a temporary prefix first; a kill or a full
    disk at any moment leaves the earlier checkpoints, and `checkpoint`, whole.

    Args:
        output_dir: exists.
        step: updates done.
        tensors: what to save, by name.
        state: the sidecar's content.
        keep: how many of the newest checkpoints stay; 0: all.
    """
    from bert.modeling import checkpoint

    prefix = prefix_of(output_dir, step)
    temporary = os.path.join(
        output_dir, TEMPORARY_PREFIX + os.path.basename(prefix)
    )
    # The sidecar goes before the index: a checkpoint exists once its index
    # does, and then it is whole.
    suffixes = (checkpoint_paths.DATA_SUFFIX, SIDECAR_SUFFIX, ".index")
    listed = listed_steps(output_dir)
    try:
        checkpoint.write_files(temporary, tensors)
        with gfile().GFile(temporary + SIDECAR_SUFFIX, "w") as file:
            file.write(state.to_json())
        for suffix in suffixes:
            atomic_files.sync(temporary + suffix)
        if file_bytes.exists(prefix + ".index"):
            # Left by a run that was resumed from an earlier step: its index
            # must not stand beside the new data for a moment.
            gfile().remove(prefix + ".index")
        for suffix in suffixes:
            gfile().rename(temporary + suffix, prefix + suffix, overwrite=True)
    except BaseException:
        remove_temporary_files(output_dir)
        raise
    # Only what `checkpoint` listed is ever deleted: a checkpoint that the
    # user put aside in the same folder is not ours.
    steps = [s for s in listed if s != step] + [step]
    first = max(0, len(steps) - keep) if keep else 0
    _write_state_file(output_dir, steps[first:])
    for old in steps[:first]:
        _delete(prefix_of(output_dir, old))
    return prefix


def remove_temporary_files(output_dir: str) -> None:
    """Removes what a killed run left half written."""
    for name in file_bytes.names_in(output_dir):
        if name.startswith(TEMPORARY_PREFIX):
            gfile().remove(os.path.join(output_dir, name))


def remove_leftovers(output_dir: str, files: Iterable[str]) -> None:
    """Removes what killed runs left half written, or half removed.

    Call it while no other training writes there.

    Args:
        output_dir: may not exist.
        files: what runs write beside checkpoints; what other commands are
            about to write there stays.
    """
    if not file_bytes.is_folder(output_dir):
        return
    names = set(file_bytes.names_in(output_dir))
    half = {atomic_files.TEMPORARY_PREFIX + f for f in ("checkpoint", *files)}
    for name in names:
        part = _PART.match(name)
        if (
            name in half
            or name.startswith(TEMPORARY_PREFIX)
            or (part and f"{part[1]}.index" not in names)
        ):
            path = os.path.join(output_dir, name)
            gfile().remove(path)
            logging.info("Removed %s, which a killed run left", path)


def read_state(reader: Reader) -> RunState | None:
    """Returns a checkpoint's sidecar, or None where it has none.

    Raises:
        UserError: the sidecar is damaged.
    """
    path = task_paths.split(reader.prefix)[0] + SIDECAR_SUFFIX
    if not file_bytes.exists(path):
        return None
    try:
        return RunState(**json.loads(file_bytes.read(path).decode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path} is damaged ({one_line(error)[:80]}). Expected the JSON "
            'object {"seed": …, "examples_seen": …}; delete it to go on with '
            "the position that follows from global_step."
        ) from error


def restore(
    reader: Reader, variables: "Mapping[str, tf.Variable]", scope: str
) -> None:
    """Assigns every weight, moment and global_step from a checkpoint.

    Args:
        reader: the checkpoint, of a training run.
        variables: what gets a value, by checkpoint name.
        scope: of the encoder's names.

    Raises:
        UserError: the checkpoint is another model's: names are missing or
            shapes differ; nothing is assigned then. Or a value is not finite.
    """
    others = check_restorable(
        reader, {name: v.shape for name, v in variables.items()}, scope
    )
    if others.slots:
        logging.info(
            "In %s, of another optimizer: %s",
            reader.prefix,
            checkpoint_names.describe_slots(others.slots),
        )
    if unused := [*others.deeper, *others.unknown]:
        logging.warning(
            "In %s, not used by this run: %s",
            reader.prefix,
            checkpoint_names.some(unused),
        )
    for name, variable in variables.items():
        variable.assign(reader.read(name))


def check_restorable(
    reader: Reader,
    expected: Mapping[str, Iterable[int]],
    scope: str,
) -> Others:
    """Checks that a run can go on from a checkpoint.

    Args:
        reader: the checkpoint.
        expected: shape by name of all that the run restores: weights, moments
            and global_step.
        scope: of the encoder's names.

    Returns:
        What the checkpoint has beside them.

    Raises:
        UserError: it is another model's: names are missing or shapes differ;
            or it lacks the moments, as another optimizer trained it.
    """
    checkpoint_reader.check_shapes(reader, expected)
    missing = [name for name in expected if name not in reader]
    others = checkpoint_names.others(reader.shapes, expected)
    # Its moments of what this run does not train: of a run with other flags.
    unknown = [n for n in others.slots if n.endswith(ADAM_SUFFIXES)]
    unknown += others.deeper
    if missing and all(n.endswith(ADAM_SUFFIXES) for n in missing):
        if not (others.slots or has_moments(reader.shapes)):
            raise UserError(
                f"{reader.prefix} was saved without Adam's moments "
                "(--save_optimizer). To go on with new ones, which start at "
                "zero, insist (--force_resume); or name it in "
                "--init_checkpoint, and another --output_dir."
            )
        slots = checkpoint_names.describe_slots(others.slots)
        raise UserError(
            f"{reader.prefix} lacks {len(missing)} tensors, such as "
            f"{missing[0]}: it has {slots or 'no others'}, as another "
            "optimizer leaves them. Name it in --init_checkpoint, and another "
            "--output_dir."
        )
    if missing or any(name.startswith(f"{scope}/") for name in unknown):
        raise UserError(
            f"{reader.prefix} is a checkpoint of another model or task than "
            "this run's: "
            + "; ".join(
                f"{what} {len(names)} tensors, such as {sorted(names)[0]}"
                for what, names in (
                    ("it lacks", missing),
                    ("it has unknown", unknown),
                )
                if names
            )
            + ". Give another output_dir, or the configuration it was "
            "trained with."
        )
    return others


def listed_steps(output_dir: str) -> list[int]:
    """Returns the existing steps that `checkpoint` lists, oldest first."""
    paths = checkpoint_paths.read_state(output_dir)[1:]
    names = [os.path.basename(path) + ".index" for path in paths]
    steps = [int(match[1]) for match in map(_STEP.match, names) if match]
    existing = _steps(output_dir) if steps else ()
    return [step for step in steps if step in existing]


def _write_state_file(output_dir: str, steps: Sequence[int]) -> None:
    """Writes `checkpoint`, which lists these steps and names the last one."""
    lines = [f'model_checkpoint_path: "model.ckpt-{steps[-1]}"\n']
    lines += [
        f'all_model_checkpoint_paths: "model.ckpt-{step}"\n' for step in steps
    ]
    atomic_files.write_text(
        os.path.join(output_dir, "checkpoint"), "".join(lines)
    )


def _steps(output_dir: str) -> set[int]:
    matches = (_STEP.match(name) for name in file_bytes.names_in(output_dir))
    return {int(match[1]) for match in matches if match}


def prefix_of(output_dir: str, step: int) -> str:
    """Returns the prefix of the checkpoint of a step."""
    return os.path.join(output_dir, f"model.ckpt-{step}")


def _delete(prefix: str) -> None:
    """Deletes one checkpoint's files, its index first."""
    for suffix in (
        ".index",
        checkpoint_paths.DATA_SUFFIX,
        SIDECAR_SUFFIX,
        ".meta",  # what TF1 wrote beside it
    ):
        if file_bytes.exists(prefix + suffix):
            gfile().remove(prefix + suffix)
    _details.info("Deleted the old checkpoint %s", prefix)


def step_of(reader: Reader) -> int:
    """Returns the global_step of a training run's checkpoint.

    Raises:
        UserError: it has none.
    """
    if GLOBAL_STEP not in reader:
        raise UserError(
            f"{reader.prefix} has no {GLOBAL_STEP}: it is not of a "
            "training run. To start from it, name it in --init_checkpoint and "
            "give another --output_dir."
        )
    checkpoint_reader.check_shapes(reader, {GLOBAL_STEP: ()})
    step = int(reader.read(GLOBAL_STEP))
    if step < 0:
        raise UserError(
            f"{reader.prefix}: {GLOBAL_STEP} must be a number of "
            f"steps. Received: {step}; name another checkpoint."
        )
    return step
