"""The one pipeline of all scripts that fine-tune: `run`.

check → start checkpoint → examples → tokenizer → model → records → training →
evaluation → prediction → export. What differs from task to task is a
`FineTuningTask`. Before `check_model` is through, nothing is written.
"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from absl import logging

from bert.errors import UserError
from bert.files import atomic_files, flag_paths
from bert.tasks import folds, outputs, reports, resuming, task_run, teachers
from bert.tasks.config import FineTuningConfig
from bert.tasks.spec import Spec
from bert.tasks.task import FineTuningTask, Prepared

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.multitask_model import Trainable
    from bert.training.head_check import Start


def run(task: FineTuningTask) -> None:
    """Checks what a run needs, then trains, evaluates, predicts and exports.

    Raises:
        UserError: a file, an example or a checkpoint is not what it must be.
    """
    from bert.training.diary import Diary

    config = task.config
    if folds.has_folds(config):
        check_outputs(task, folds.FILES)
        folds.run(task, run, read)
        return
    written = written_by(task)
    check_outputs(task, written)
    start = read(task)
    start.check_outputs(task.num_outputs, config.grow_labels)
    config.check_metric(task.metric_names())
    prepared = prepare(config)
    task.prepare(prepared)
    if config.do_train:
        task_run.length_of(config, task.num_examples).check(
            config.train_batch_size
        )
        resuming.check_early(config, task.model_task, task.labels)
    # All above needs no TensorFlow, and a teacher only for its weights.
    task.teacher = teachers.find(task)
    with (
        atomic_files.leaving_no_folder(config.output_dir),
        prepared.worker_barrier(),
    ):
        with prepared.strategy().scope():
            check_model(task, start)
        with (
            resuming.alone(config, written, prepared.is_chief),
            Diary(
                *(config, task.data_files, prepared.strategy()),
                prepared.is_chief,
            ) as diary,
        ):
            if task.teacher:
                _ = task.teacher.logits
            with prepared.strategy().scope():
                nothing = task_run.TaskRun(task, diary.figures).run()
            export(task)
    if nothing and (config.do_eval or config.do_predict or config.do_export):
        logging.warning("%s", nothing)  # once more, as the last line


def read(task: FineTuningTask) -> "Start":
    """Reads a task's examples; returns the checkpoint that it begins with.

    Raises:
        UserError: a file, an example or a checkpoint is not what it must be.
    """
    start = start_checkpoint(task.config, task.spec)
    task.read(start)
    return start


def written_by(task: FineTuningTask) -> list[str]:
    """Returns the names of the files that a command writes to output_dir."""
    config = task.config
    return [
        *task.results,
        *(reports.FILES if config.writes_reports else ()),
        *[teachers.FILE_NAME] * config.is_taught,
    ]


def check_outputs(task: FineTuningTask, written: Sequence[str]) -> None:
    """Looks whether a command's results can be written where they belong.

    Args:
        task: its files of examples are inputs, beside the model's.
        written: the names of the files that the command writes to output_dir.

    Raises:
        UserError: see `outputs.check`; or something else is in the place of
            the export, or records cannot be written to --records_dir.
    """
    config = task.config
    inputs = [config.vocab_file, config.bert_config_file, *task.input_files]
    inputs.append(config.distill_file)
    outputs.check(config, written, inputs)
    if config.records_dir:
        flag_paths.check_folder(config.records_dir, "records_dir")
    if config.do_export:
        from bert.serving import export_place

        export_place.check_run(config, written)


def start_checkpoint(config: FineTuningConfig, spec: Spec) -> "Start":
    """Looks for the checkpoint that a run begins with.

    Args:
        config: the flags' values.
        spec: the task's; it names the head.

    Raises:
        UserError: there is none to evaluate or predict with, or it is none of
            this task; see `head_check.check_head`.
    """
    from bert.tasks import run_weights
    from bert.training import head_check

    assert spec.head is not None, spec.task
    return head_check.check_head(
        run_weights.start(config),
        config.output_dir,
        spec.head,
        trains=config.do_train,
        uses_pooler=spec.uses_pooler,
    )


def prepare(config: FineTuningConfig) -> Prepared:
    """Checks the model's files; returns what a run works with.

    Raises:
        UserError: one of them is not what it must be.
    """
    from bert.data.text import tokenization
    from bert.model_folder import same_words
    from bert.modeling.config import read_config

    tokenization.validate_case_matches_checkpoint(
        config.do_lower_case, config.init_checkpoint
    )
    bert_config = read_config(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    layers = bert_config.num_hidden_layers
    if (config.freeze_layers or 0) > layers:
        raise UserError(
            f"--freeze_layers must be at most {layers}, the layers that "
            f"{config.bert_config_file} has. Received: {config.freeze_layers}."
        )
    tokenizer = tokenization.checked_tokenizer(
        config.vocab_file, do_lower_case=config.do_lower_case
    )
    tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    same_words.warn(config.init_checkpoint, tokenizer, config.do_lower_case)

    @functools.cache
    def chosen() -> "tf.distribute.Strategy":
        from bert.training import strategy

        return strategy.create(config)

    return Prepared(chosen, bert_config, tokenizer, config.compute_dtype)


def check_model(task: FineTuningTask, start: "Start") -> None:
    """Checks what is left to check before the first file, and makes output_dir.

    Call it in the strategy's scope.

    Args:
        task: prepared.
        start: the checkpoint that the run begins with.

    Raises:
        UserError: there are too few examples for a step, devices cannot share
            a batch, a checkpoint does not fit the model, there is none of the
            best weights, another model's files are in output_dir, or nothing
            can be written there.
    """
    from bert.training import resume, strategy

    config = task.config
    check_weights(config, start, lambda: task.make_model(0), task.num_examples)
    if config.do_train:
        resuming.check(config, task.model_task, task.labels)
    if strategy.is_chief():
        resume.prepare_output_dir(config.output_dir)


def check_weights(
    config: FineTuningConfig,
    start: "Start",
    make_model: "Callable[[], Trainable]",
    num_examples: int,
) -> None:
    """Checks the model, its checkpoints, and how much is to be trained.

    Raises:
        UserError: see `check_model`.
    """
    from bert.model_folder import weights
    from bert.training import disk_space, head_check, run, strategy

    steps = 0
    if config.do_train:
        length = task_run.length_of(config, num_examples)
        run.check_size(config, length)
        steps = length.num_train_steps
    # Left by an earlier part of the run; it may stay the best.
    best = weights.best_of(config.output_dir) if config.do_train else None
    model = head_check.check_model(
        start,
        make_model,
        num_train_steps=steps,
        freeze_layers=config.freeze_layers,
        best=best,
        needs_moments=config.needs_moments,
        grows=config.grow_labels,
    )
    if config.do_train and start.reader is None:
        logging.warning(
            "--init_checkpoint is not given: training starts from random "
            "weights."
        )
    if strategy.is_chief():
        disk_space.check(config, model, start, steps)


def export(task: FineTuningTask) -> None:
    """Exports the weights that `load` takes, if the command says so.

    Call it outside of the strategy's scope. Only the chief exports.
    """
    config = task.config
    if not (config.do_export and task.prepared.is_chief):
        return
    from bert.serving import export

    export.export_run(config, task.model_task, config.vocab_file, task.labels)
