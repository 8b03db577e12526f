"""Writes a trained model as a SavedModel, for servers and other programs.

See docs/export.md.
"""

import dataclasses

from absl import flags

from bert.cli import command_line, environment, shared_flags, source_flags
from bert.cli.config import FlagConfig
from bert.errors import UserError
from bert.model_folder import task_files

FLAGS = flags.FLAGS


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    own = {"flag_values": flag_values}
    source_flags.define_source_flags(flag_values, takes_saved_models=False)
    source_flags.define_task_flags(flag_values, task_files.TASKS)
    flags.DEFINE_string(
        "export_dir",
        None,
        "Folder to write the SavedModel to; missing, empty or an earlier "
        "export (--overwrite).",
        **own,
    )
    shared_flags.required(flag_values, "export_dir")
    flags.DEFINE_integer(
        "top_k",
        10,
        "pretraining: words to give for each position.",
        lower_bound=1,
        **own,
    )
    flags.DEFINE_bool(
        "raw_strings",
        True,
        "Whether to write the model that takes texts, too (raw_strings/). It "
        "needs tensorflow-text.",
        **own,
    )
    flags.DEFINE_bool(
        "overwrite", False, "Whether to replace an earlier export.", **own
    )


@dataclasses.dataclass(frozen=True)
class Config(FlagConfig):
    """The values of the flags, by their names."""

    model_dir: str
    export_dir: str
    task: str | None
    checkpoint: str | None
    bert_config_file: str | None
    vocab_file: str | None
    labels: str | None
    do_lower_case: bool | None
    max_seq_length: int | None
    top_k: int
    raw_strings: bool
    overwrite: bool


def main() -> None:
    """Flags → a model's files → SavedModels."""
    environment.prepare()
    export_model(Config.from_flags(FLAGS))


def export_model(config: Config) -> None:
    """Finds the model's files and exports what they make.

    Raises:
        UserError: a file is missing or wrong, model_dir is an export, or
            export_dir is taken.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.model_folder import model_source
    from bert.serving import export, loaded_model

    if loaded_model.is_saved_model(config.model_dir):
        raise UserError(
            "--model_dir must be the folder of a checkpoint. Received: "
            f"{config.model_dir}, which is an export already (a SavedModel); "
            "use it as it is, or name the folder that it was made from."
        )
    export.check_export_dir(config.export_dir, config.overwrite)
    given = model_source.Given(
        **{
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(model_source.Given)
        }
    )
    export.export(
        model_source.find(config.model_dir, given),
        config.export_dir,
        top_k=config.top_k,
        raw_strings=config.raw_strings,
        overwrite=config.overwrite,
    )


if __name__ == "__main__":
    command_line.run(main, define_flags)
