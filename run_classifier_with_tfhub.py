"""run_classifier.py, starting from a SavedModel of a BERT encoder.

The encoder's weights, its sizes, vocabulary and casing come from the module
that --bert_hub_module_handle names: a folder that `export_model.py
--task=features` wrote. All other flags are run_classifier.py's.

The weights are read out of the module into our own classifier, by their names
in checkpoints; its graph is not called. So all of run_classifier.py works here
(layers that are frozen, recomputed or in bfloat16, several devices), and the
checkpoints in output_dir are the same as there. TensorFlow Hub's address space
and its TF1 modules, which the original takes, are gone.

See docs/export.md.
"""

import dataclasses
import os
from typing import Any

from absl import flags, logging

from bert import run_classifier
from bert.cli import command_line, shared_flags
from bert.compat import names
from bert.errors import UserError
from bert.model_folder import task_files

# What the module says, whatever these flags of run_classifier.py say.
_OF_THE_MODULE = (
    "bert_config_file",
    "vocab_file",
    "do_lower_case",
    "init_checkpoint",
)


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines run_classifier.py's flags, and where the module is."""
    run_classifier.define_flags(flag_values)
    flags.DEFINE_string(
        "bert_hub_module_handle",
        None,
        "Folder of a SavedModel of a BERT encoder (export_model.py "
        "--task=features): weights, sizes, vocabulary and casing.",
        flag_values=flag_values,
    )
    shared_flags.required(flag_values, "bert_hub_module_handle")
    for name in _OF_THE_MODULE:
        # They need not be given here.
        flag_values[name].validators.clear()
        flag_values[name].help = "Not used: the module says it."


FLAGS = command_line.flags_of(define_flags)
__getattr__ = names.attributes_of("run_classifier_with_tfhub")


def config_from_flags(flag_values: flags.FlagValues) -> run_classifier.Config:
    """Returns run_classifier.py's configuration with the module's files.

    Raises:
        UserError: flags contradict each other, or the module is none.
    """
    for name in _OF_THE_MODULE:
        if flag_values[name].present:
            logging.warning("--%s is not used: the module says it.", name)
    handle = flag_values.bert_hub_module_handle
    return dataclasses.replace(
        run_classifier.Config.from_flags(flag_values), **from_module(handle)
    )


def from_module(handle: str) -> dict[str, Any]:
    """Returns what a module says of the model, by the names of flags.

    Args:
        handle: a local folder.

    Raises:
        UserError: it is no SavedModel of a BERT encoder with its assets, or
            one of a model with a head, whose labels would not be known.
    """
    assets = os.path.join(handle, task_files.ASSETS)
    files = {
        name: os.path.join(assets, name)
        for name in (
            task_files.TASK_FILE,
            task_files.CONFIG_FILE,
            task_files.VOCAB_FILE,
        )
    }
    expected = [os.path.join(handle, "saved_model.pb"), *files.values()]
    missing = [path for path in expected if not os.path.isfile(path)]
    if missing:
        raise UserError(
            "--bert_hub_module_handle must be the folder of a SavedModel that "
            "export_model.py --task=features wrote (modules of tfhub.dev are "
            f"TF1). Received: {handle}, without {missing[0]}."
        )
    task = task_files.read(files[task_files.TASK_FILE])
    is_raw = os.path.basename(os.path.realpath(handle)) == "raw_strings"
    if task.task != "features" or is_raw:
        found = (
            "the model of texts in an export; name the folder that it is in"
            if is_raw
            else f"a model for {task.task}; export its encoder anew"
        )
        raise UserError(
            "--bert_hub_module_handle must be the folder that export_model.py "
            f"--task=features wrote. Received: {handle}, {found}."
        )
    if task.do_lower_case is None:
        raise UserError(
            f"{files[task_files.TASK_FILE]} does not say do_lower_case; export "
            "the encoder with --task=features."
        )
    return {
        "bert_config_file": files[task_files.CONFIG_FILE],
        "vocab_file": files[task_files.VOCAB_FILE],
        "do_lower_case": task.do_lower_case,
        "init_checkpoint": handle,
    }


def main(_: object = None) -> None:
    """Flags and the module's files → run_classifier.py's pipeline."""
    run_classifier.classify(config_from_flags(FLAGS))


if __name__ == "__main__":
    command_line.run(main, FLAGS)
