"""Configurations for tests: the flags' defaults, but for what is given."""

from absl import flags

from bert.cli import shared_flags, training_flags
from bert.cli.config import TrainingConfig


def training_config(**values) -> TrainingConfig:
    """Returns what the flags of a training script make, less what differs."""
    found = flags.FlagValues()
    training_flags.define_model_flags(found)
    training_flags.define_training_flags(found)
    shared_flags.define_device_flags(found)
    training_flags.define_export_flags(found)
    for name, default in (
        ("do_train", True),
        ("do_eval", False),
    ):
        flags.DEFINE_bool(name, default, "", flag_values=found)
    flags.DEFINE_integer("max_seq_length", 128, "", flag_values=found)
    found(["test", "--bert_config_file=config.json", "--output_dir=out"])
    for name, value in values.items():
        found[name].value = value
    return TrainingConfig.from_flags(found)
