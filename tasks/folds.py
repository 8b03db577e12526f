"""--folds: a run for each part of the training file, and their mean.

    output_dir/
      fold_1/  fold_2/  …     each a run of its own, as any output_dir
      split.json              the rows that each is evaluated on (`splits`)
      folds.json              their figures, mean and spread

TensorFlow is imported where it is used.
"""

import dataclasses
import gc
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from absl import logging

from bert.errors import UserError, one_line
from bert.files import atomic_files, file_bytes, text_input
from bert.tasks import splits
from bert.tasks.config import FineTuningConfig, SetsConfig
from bert.tasks.task import FineTuningTask

FILE_NAME = "folds.json"
# What all folds have together.
FILES = (FILE_NAME, splits.FILE_NAME)
_Figures = dict[str, float]


def has_folds(config: FineTuningConfig) -> bool:
    """Whether a command is to be run once for each fold."""
    return isinstance(config, SetsConfig) and bool(
        config.folds and not config.fold
    )


def run(
    task: FineTuningTask,
    run_fold: Callable[[FineTuningTask], None],
    read: Callable[[FineTuningTask], object],
) -> None:
    """Runs each fold that is not finished, and writes what they come to.

    Args:
        task: of all folds; its config `has_folds`.
        run_fold: does all of a run.
        read: does as much of it as checks the files.

    Raises:
        UserError: a file or checkpoint is not what it must be, or finished
            folds were made with other flags.
    """
    config = task.config
    assert isinstance(config, SetsConfig)
    assert config.folds
    _check_alone(config)
    done = _finished(config)
    left = [n for n in range(1, config.folds + 1) if _name(n) not in done]
    if len(left) < config.folds:
        logging.info(
            "%s: %d of %d folds are finished, and not trained again.",
            *(_path(config), config.folds - len(left), config.folds),
        )
    for number in left:
        logging.info("***** Fold %d of %d *****", number, config.folds)
        own = _of_fold(task, config, number)
        run_fold(own)
        done[_name(number)] = _figures(own.config.output_dir)
        _write(config, done)
        # Models are part of cycles; the next one needs their memory.
        gc.collect()
    if not left:
        # Each fold would have: whether the file is the one that they are of.
        read(_of_fold(task, config, 1))
    _log(config, done)


def _check_alone(config: SetsConfig) -> None:
    """Raises UserError where several machines would share the work."""
    from bert.training import cluster

    kinds = ("auto", "multi_worker")
    if config.distribution_strategy in kinds and cluster.from_environment():
        raise UserError(
            "--folds is for one machine: several workers (TF_CONFIG) come "
            "together once. Give each fold's command a --dev_file, or "
            "--distribution_strategy=mirrored."
        )


def _of_fold(
    task: FineTuningTask, config: SetsConfig, number: int
) -> FineTuningTask:
    """Returns a task of the same kind, for one fold."""
    folder = os.path.join(config.output_dir, _name(number))
    return type(task)(
        dataclasses.replace(config, output_dir=folder, fold=number)
    )


def _name(number: int) -> str:
    return f"fold_{number}"


def _path(config: SetsConfig) -> str:
    return os.path.join(config.output_dir, FILE_NAME)


def _made_with(config: SetsConfig) -> dict[str, Any]:
    """Returns the flags that all folds must have in common."""
    names = ["folds", "split_seed", "init_checkpoint", "bert_config_file"]
    names += ["teacher_dir", "distill_data"] * config.is_taught
    values = {n: getattr(config, n) for n in names}
    if config.attention_mask:
        # Its file may be the process's own: see `changed_config`.
        content = text_input.read(config.bert_config_file)
        values["bert_config_file"] = hashlib.sha256(content).hexdigest()
    return {**values, **config.course}


def _finished(config: SetsConfig) -> dict[str, _Figures]:
    """Returns the figures of those folds that are finished.

    Raises:
        UserError: they were made with other flags, or the file is none of
            ours.
    """
    path = _path(config)
    if not file_bytes.exists(path):
        return {}
    try:
        kept = json.loads(text_input.read(path))
        before = dict(kept["made_with"])
        found = {
            name: {key: float(value) for key, value in figures.items()}
            for name, figures in kept["figures"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: expected the figures that --folds leaves. Received: "
            f"{one_line(error)[:80]}; restore the file, or name another "
            "--output_dir."
        ) from error
    now = _made_with(config)
    for name in {**now, **before}:
        if before.get(name) != now.get(name):
            raise UserError(
                f"{path} has folds made with another --{name} "
                f"({before.get(name)} then, {now.get(name)} now), and a mean "
                "is of equal ones; give that again, or name another "
                "--output_dir."
            )
    return found


def _figures(output_dir: str) -> _Figures:
    """Returns the numbers in a run's eval_results.txt."""
    path = os.path.join(output_dir, "eval_results.txt")
    lines = file_bytes.read(path).decode().splitlines()
    pairs = [line.split(" = ", 1) for line in lines]
    return {name: float(value) for name, value in pairs}


def _write(config: SetsConfig, done: Mapping[str, _Figures]) -> None:
    text = json.dumps(
        {
            "made_with": _made_with(config),
            "figures": done,
            **_summary(done),
        },
        indent=2,
    )
    atomic_files.write_text(_path(config), text + "\n")


def _summary(done: Mapping[str, _Figures]) -> dict[str, _Figures]:
    """Returns mean and standard deviation (of a sample) of each figure."""
    import statistics

    values = {
        name: [own[name] for own in done.values()]
        for name in next(iter(done.values()))
        if name != "global_step"
    }
    return {
        "mean": {n: statistics.fmean(own) for n, own in values.items()},
        "standard_deviation": {
            n: statistics.stdev(own) if len(own) > 1 else 0.0
            for n, own in values.items()
        },
    }


def _log(config: SetsConfig, done: Mapping[str, _Figures]) -> None:
    """Logs a line for each figure, as a table."""
    mean, deviation = _summary(done).values()
    width = max(map(len, mean))
    logging.info("***** Results of %d folds *****", len(done))
    logging.info(
        "  %-*s  mean     spread   %s",
        *(width, "", "  ".join(f"{name:<7}" for name in done)),
    )
    for name in mean:
        logging.info(
            "  %-*s  %-7.4g  %-7.3g  %s",
            *(width, name, mean[name], deviation[name]),
            "  ".join(f"{own[name]:<7.4g}" for own in done.values()),
        )
    logging.info("Wrote %s", _path(config))
