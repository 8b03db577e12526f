"""Writes a trained model as a SavedModel, for servers and other programs.

See docs/export.md.
"""

import dataclasses

from absl import flags

from bert.cli import command_line, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.model_folder.given import Given
from bert.tasks import spec


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    source_flags.define_task_flags(flag_values, spec.TASKS)
    shared_flags.define_required_strings(
        flag_values,
        export_dir="Folder to write the SavedModel to; missing, empty or an "
        "earlier export (--overwrite).",
    )
    shared_flags.define_integers(
        flag_values,
        lower_bound=1,
        top_k=(10, "pretraining: words to give for each position."),
    )
    shared_flags.define_bools(
        flag_values,
        default=True,
        raw_strings="Whether to write the model that takes texts, too "
        "(raw_strings/). It needs tensorflow-text.",
    )
    shared_flags.define_bools(
        flag_values, overwrite="Whether to replace an earlier export."
    )


FLAGS = command_line.flags_of(define_flags)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FlagConfig, Given):
    """The values of the flags, by their names."""

    model_dir: str
    export_dir: str
    top_k: int
    raw_strings: bool
    overwrite: bool


def export_model(config: Config) -> None:
    """Finds the model's files and exports what they make.

    Raises:
        UserError: a file is missing or wrong, model_dir is an export, or
            export_dir is taken.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.model_folder import locate, model_files
    from bert.serving import export_place

    if locate.is_saved_model(config.model_dir):
        raise UserError(
            "--model_dir must be the folder of a checkpoint. Received: "
            f"{config.model_dir}, which is an export already (a SavedModel); "
            "use it as it is, or name the folder that it was made from."
        )
    export_place.check_export_dir(config.export_dir, config.overwrite)
    files = model_files.find(config.model_dir, config)
    export_place.check_task(files.task, files.checkpoint)
    from bert.serving import export

    export.export(
        files,
        config.export_dir,
        top_k=config.top_k,
        raw_strings=config.raw_strings,
        overwrite=config.overwrite,
    )


def main(_: object = None) -> None:
    """Flags → the model's files → a SavedModel."""
    export_model(Config.from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
