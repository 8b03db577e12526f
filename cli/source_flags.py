"""Flags of scripts that use a trained model: where it is, and what it is.

Their names are those of `model_folder.given.Given`. Imports without
TensorFlow.
"""

from collections.abc import Sequence

from absl import flags

from bert.cli import shared_flags

# Flags belong to the script that asks for them, so that --help shows them.
flags.disclaim_key_flags()


def define_source_flags(
    flag_values: flags.FlagValues, *, takes_saved_models: bool = True
) -> None:
    """Defines the flags that every use of a trained model takes."""
    saved_model = ", or a SavedModel that export_model.py wrote"
    shared_flags.define_required_strings(
        flag_values,
        model_dir="The trained model: the output_dir of a run, or the folder "
        f"of a published checkpoint{saved_model if takes_saved_models else ''}"
        ".",
    )
    shared_flags.define_checkpoint(flag_values, "Which one of model_dir")
    shared_flags.define_strings(
        flag_values,
        task_name="Of a model of several tasks (run_multitask.py), which one; "
        "the same as model_dir=FOLDER#NAME.",
        bert_config_file="Default: model_dir's.",
        vocab_file="Default: model_dir's.",
    )
    shared_flags.define_bools(
        flag_values,
        default=None,
        do_lower_case="Whether the model's text is lower-cased. Default: what "
        "task.json says.",
    )


def define_runtime_flag(
    flag_values: flags.FlagValues, runtimes: Sequence[str]
) -> None:
    """Defines what computes the model.

    Args:
        flag_values: where to.
        runtimes: the values of --runtime.
    """
    flags.DEFINE_enum(
        "runtime",
        None,
        runtimes,
        "What computes the model: tensorflow; or, of a folder that "
        "compress_model.py wrote, a runtime or (where there are several for "
        "it) a format. Default: tensorflow, and of such a folder its only "
        "format.",
        flag_values=flag_values,
    )


def define_precision_flag(flag_values: flags.FlagValues) -> None:
    """Defines what the model is computed in."""
    flags.DEFINE_enum(
        "precision",
        None,
        ["float32", "bfloat16", "auto"],
        "Of TensorFlow's matrix products. bfloat16: faster on a processor "
        "that has it. auto: bfloat16 on such a processor, where "
        "`bert check_bfloat16` found that it gives the same labels, else "
        "float32. Default: float32.",
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
    shared_flags.define_strings(
        flag_values,
        labels="The model's labels in their order, separated by commas, or a "
        "file with one a line. Default: labels.txt in model_dir.",
    )
    shared_flags.define_max_seq_length(
        flag_values,
        None,
        "Where texts are cut, in word pieces. Default: what task.json says, "
        "else 128 (squad: 384).",
    )


def define_input_flags(flag_values: flags.FlagValues) -> None:
    """Defines where the lines to answer come from."""
    shared_flags.define_strings(
        flag_values, input_file="Lines to answer. Default: standard input."
    )
    shared_flags.define_batch_sizes(flag_values, "batch_size")
    flags.DEFINE_enum(
        "on_error",
        "stop",
        ["stop", "answer"],
        "What becomes of a line that cannot be answered. stop: it ends the "
        "command. answer: its answer says the `error`, and the exit code at "
        "the end is 1.",
        flag_values=flag_values,
    )
