"""Makes a folder in the original's format of a Hugging Face BERT folder.

See docs/conversion.md.
"""

import dataclasses

from absl import flags

from training import environment
from training import flags as run_flags

FLAGS = flags.FLAGS


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    flags.DEFINE_string(
        "input_dir",
        None,
        "Folder with config.json, model.safetensors and vocab.txt of a "
        "Hugging Face BERT.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder that gets bert_model.ckpt.*, bert_config.json and vocab.txt; "
        "it is made if need be.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "overwrite",
        False,
        "Whether to replace a model that output_dir holds.",
        flag_values=flag_values,
    )
    run_flags.required(flag_values, "input_dir", "output_dir")


@dataclasses.dataclass(frozen=True)
class Config:
    """The values of the flags, by their names."""

    input_dir: str
    output_dir: str
    overwrite: bool


def config_from_flags(flag_values: flags.FlagValues) -> Config:
    """Reads the configuration from parsed flags."""
    return Config(
        **{
            field.name: getattr(flag_values, field.name)
            for field in dataclasses.fields(Config)
        }
    )


def main() -> None:
    """Flags → one folder → the other."""
    environment.prepare()
    convert(config_from_flags(FLAGS))


def convert(config: Config) -> None:
    """Converts the folder.

    Raises:
        UserError: a file is missing or wrong, or output_dir holds a model.
    """
    # Here, so that --help needs no TensorFlow.
    from conversion import huggingface

    huggingface.to_original(
        config.input_dir, config.output_dir, config.overwrite
    )


if __name__ == "__main__":
    run_flags.run(main, define_flags)
