"""Flags of scripts that use a trained model: where it is, and what it is.

Their names are those of `model_folder.given.Given`. Imports without
TensorFlow.
"""

from collections.abc import Sequence

from absl import flags

from bert.cli import shared_flags

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()

_FILES = {
    "checkpoint": "best, newest or a checkpoint's prefix. Default: the best "
    "checkpoint (--save_best) where there is one, else the newest.",
    "bert_config_file": "Default: model_dir's.",
    "vocab_file": "Default: model_dir's.",
}


def define_source_flags(
    flag_values: flags.FlagValues, *, takes_saved_models: bool = True
) -> None:
    """Defines the flags that every use of a trained model takes."""
    flags.DEFINE_string(
        "model_dir",
        None,
        "The trained model: the output_dir of a run, or the folder of a "
        "published checkpoint"
        + (
            ", or a SavedModel that export_model.py wrote."
            if takes_saved_models
            else "."
        ),
        flag_values=flag_values,
    )
    shared_flags.required(flag_values, "model_dir")
    for name, text in _FILES.items():
        flags.DEFINE_string(name, None, text, flag_values=flag_values)
    flags.DEFINE_bool(
        "do_lower_case",
        None,
        "Whether the model's text is lower-cased. Default: what task.json "
        "says.",
        flag_values=flag_values,
    )


def define_task_flags(
    flag_values: flags.FlagValues, tasks: Sequence[str]
) -> None:
    """Defines what a model is for.

    Args:
        flag_values: where to.
        tasks: the values of --task.
    """
    flags.DEFINE_enum(
        "task",
        None,
        tasks,
        "What the model is for. Default: what task.json in model_dir says, "
        "else what the checkpoint's weights are of. features: the encoder "
        "alone.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "labels",
        None,
        "The model's labels in their order, separated by commas, or a file "
        "with one a line. Default: labels.txt in model_dir.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "max_seq_length",
        None,
        "Where texts are cut, in word pieces. Default: what task.json says, "
        "else 128 (squad: 384).",
        lower_bound=3,
        flag_values=flag_values,
    )


def define_input_flags(flag_values: flags.FlagValues) -> None:
    """Defines where the lines to answer come from."""
    flags.DEFINE_string(
        "input_file",
        None,
        "Lines to answer. Default: standard input.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "batch_size",
        32,
        "Rows that are computed together.",
        lower_bound=1,
        upper_bound=10**6,
        flag_values=flag_values,
    )
