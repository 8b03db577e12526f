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
from bert.files import atomic_files, flag_paths, task_paths
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

    path = locate.file(config.model_dir, task_files.TASK_FILE)
    if path is None or locate.is_saved_model(config.model_dir):
        raise UserError(
            "--model_dir must be the output_dir of a run, with its "
            f"{task_files.TASK_FILE}. Received: {config.model_dir}, where "
            "there is none, or a SavedModel."
        )
    files = flag_paths.matching_files(config.records, "eval_file")
    source = model_files.find(config.model_dir, config)
    found = precision.compare(source, files)
    kept = dataclasses.replace(task_files.read(path), bfloat16=found)
    atomic_files.write_text(path, kept.to_json())
    logging.info(
        "bfloat16 gives %.2f %% of %d rows the same labels as float32; wrote "
        "it to %s.",
        *(100 * found.agreement, found.rows, path),
    )
    if reason := precision.why_not(source, found):
        logging.info("--precision=auto is float32, as %s.", reason)


def main(_: object = None) -> None:
    """Flags → a model → how alike it is in bfloat16 → task.json."""
    check(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
