"""A run that goes on in its output_dir: as the same, and alone.

TensorFlow is imported where it is used.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence

from bert.cli.config import TrainingConfig
from bert.data.records import record_reuse
from bert.errors import UserError
from bert.files import file_bytes, text_input
from bert.model_folder import task_files
from bert.model_folder.task_files import Task


def check(
    config: TrainingConfig, task: Task, labels: Sequence[str] = ()
) -> None:
    """Checks that the run in output_dir, if there is one, may go on.

    Args:
        config: the flags' values.
        task: what the command's model is for.
        labels: the model's.

    Raises:
        UserError: it is another model's or has another meaning, and
            --force_resume is not given; or there is none, but its best weights
            are, which would pass for those of the new run.
    """
    from bert.model_folder import resume_file

    check_best(config.output_dir)
    task_files.check(
        config.output_dir,
        config.bert_config_file,
        _vocab_file(config),
        config.force_resume,
    )
    resume_file.check(
        config.output_dir, _meaning(config, task, labels), config.force_resume
    )


def check_best(output_dir: str) -> None:
    """Raises UserError where best weights would pass for those of a new run."""
    from bert.model_folder import weights
    from bert.training import checkpointing

    best = weights.best_of(output_dir)
    if best and not checkpointing.newest(output_dir):
        raise UserError(
            f"--output_dir={output_dir} has the best weights of an "
            f"earlier run, {best}, and no checkpoint to go on from; name "
            "another --output_dir, or move them away."
        )


def check_early(
    config: TrainingConfig, task: Task, labels: Sequence[str] = ()
) -> None:
    """Does as `check` before there is a model, which needs TensorFlow.

    Not where the run's model has other sizes: what is wrong with its checkpoint
    says more. Nor where `check` only warns.

    Args and raises: those of `check`, which comes later all the same.
    """
    kept = os.path.join(config.output_dir, task_files.CONFIG_FILE)
    if config.force_resume or not file_bytes.exists(kept):
        return
    if file_bytes.read(kept) == text_input.read(config.bert_config_file):
        check(config, task, labels)


def alone(
    config: TrainingConfig, results: Sequence[str], is_chief: bool
) -> contextlib.AbstractContextManager[None]:
    """Keeps other trainings out of output_dir; see `training.resume.alone`.

    Args:
        config: the flags' values; output_dir exists.
        results: the names of the files that the command writes there.
        is_chief: other workers have no part in this, nor who trains nothing.
    """
    if not (config.do_train and is_chief):
        return contextlib.nullcontext()
    from bert.model_folder import resume_file
    from bert.training import resume

    files = {*results, *fingerprints(results), *resume_file.KEPT_FILES}
    return resume.alone(config.output_dir, files)


def keep(
    config: TrainingConfig,
    task: Task,
    labels: Sequence[str],
    data: Iterable[object],
    teacher: str | None = None,
) -> None:
    """Keeps what a run is made with from here on; tells what is another.

    Args:
        config: the flags' values.
        task: what the model is for.
        labels: the model's.
        data: what the records are made from; their `repr` counts.
        teacher: a hash of what the model learns from beside labels.
    """
    from bert.model_folder import resume_file

    meaning = _meaning(config, task, labels)
    training = {
        "data": resume_file.digest(data),
        "teacher": teacher,
        **config.course,
    }
    resume_file.go_on(config.output_dir, meaning, training)


def fingerprints(results: Sequence[str]) -> list[str]:
    """Returns the names of the fingerprints beside a run's data."""
    return [
        name + record_reuse.SUFFIX
        for name in results
        if name.endswith((".tf_record", ".npy"))
    ]


def _meaning(
    config: TrainingConfig, task: Task, labels: Sequence[str]
) -> Mapping[str, object]:
    from bert.model_folder import resume_file

    own = resume_file.meaning(
        task, config.bert_config_file, _vocab_file(config), labels
    )
    return {**own, **config.meaning}


def _vocab_file(config: TrainingConfig) -> str | None:
    return getattr(config, "vocab_file", None)
