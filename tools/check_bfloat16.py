"""Finds out how often a trained model predicts the same in bfloat16.

Writes it to task.json, where `--precision=auto` of predict.py and serve.py
looks for it. See docs/prediction.md.
"""

import dataclasses
import os

from absl import flags, logging

from bert.cli import command_line, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.files import atomic_files, file_bytes, flag_paths, task_paths
from bert.model_folder import task_files
from bert.model_folder.given import Given

_EVAL_FILE = "eval.tf_record"


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    shared_flags.define_strings(
        flag_values,
        eval_file="Record files to predict for. Default: eval.tf_record in "
        "model_dir, which --do_eval leaves.",
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    eval_file: str | None

    @property
    def records(self) -> str:
        """The record files to predict for."""
        if self.eval_file:
            return self.eval_file
        # Of a model of several tasks, the one's own.
        return os.path.join(task_paths.folders(self.model_dir)[0], _EVAL_FILE)


def check(config: Config) -> None:
    """Compares the model with itself in bfloat16, and keeps what it finds.

    Raises:
        UserError: a file is missing or wrong, or the folder is a SavedModel or
            has no task.json.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.model_folder import locate, model_files
    from bert.serving import precision

    folder = config.model_dir
    where, _ = task_paths.split(folder)
    path = locate.file(folder, task_files.TASK_FILE)
    no_run = UserError(
        "--model_dir must be the output_dir of a run, with its "
        f"{task_files.TASK_FILE}. Received: {folder}, which is none."
    )
    lacks_task = file_bytes.is_folder(where) and not locate.tasks(where)
    if locate.is_saved_model(folder) or (path is None and lacks_task):
        raise no_run
    if path:
        _check_can_agree(path)
    source = model_files.find(folder, config)
    if path is None:
        raise no_run
    if not config.eval_file and not file_bytes.exists(config.records):
        raise UserError(
            f"Expected {config.records}, which --do_eval leaves. Received: "
            "none there; evaluate the model, or name records (--eval_file)."
        )
    files = flag_paths.matching_files(config.records, "eval_file")
    found = precision.compare(source, files)
    kept = dataclasses.replace(task_files.read(path), bfloat16=found)
    atomic_files.write_text(path, kept.to_json())
    logging.info(
        "%.2f %% of the labels of %d rows are the same in bfloat16 as in "
        "float32; wrote it to %s.",
        *(100 * found.agreement, found.rows, path),
    )
    if reason := precision.why_not(source, found):
        logging.info("--precision=auto is float32, as %s.", reason)


def _check_can_agree(path: str) -> None:
    """Raises UserError where nothing can be found of a task.json, or kept."""
    task = task_files.read(path)
    gives_labels = task.spec.has_labels and task.kind != "regression"
    if not gives_labels and task.task not in ("squad", "multiple_choice"):
        raise UserError(
            "Expected a model that gives labels, choices or answers. Received: "
            f"{path}, of {task.kind or task.task}, whose numbers are never the "
            "same to the last digit; --precision=auto is float32 there."
        )
    if task.long_texts.is_windows:
        raise UserError(
            "Expected a model that reads one sequence a text. Received: "
            f"{path}, of --truncation=windows; --precision=auto is float32 "
            "there."
        )
    if "://" not in path and (reason := atomic_files.why_not_writable(path)):
        reason = reason.partition(";")[0]
        raise UserError(f"{path} {reason}; what is found is kept there.")


def main(_: object = None) -> None:
    """Flags → a model → how alike it is in bfloat16 → task.json."""
    check(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
