"""Fine-tunes one BERT for several tasks, with a head each.

Takes a JSON file of tasks, each with the flags of its own script; writes
checkpoints, and each task's results to a folder. See docs/multitask.md.
"""

import importlib

from absl import flags

from bert.cli import command_line, shared_flags, training_flags
from bert.files import task_paths
from bert.model_folder import locate
from bert.tasks import spec
from bert.tasks.multitask import task_list
from bert.tasks.multitask.config import Config
from bert.tasks.multitask.fine_tuned import FineTuned
from bert.tasks.multitask.listed import ListedTask
from bert.tasks.multitask.masked_words import MaskedWords
from bert.tasks.multitask.task_list import Script
from bert.training.objectives import task_sampling


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    shared_flags.define_required_strings(
        flag_values,
        tasks="JSON file: a list of tasks, each its name (of GLUE), or an "
        'object of "name", "task" and flags of that task\'s own script.',
    )
    shared_flags.define_strings(
        flag_values,
        data_dir="Folder with a folder for each task of GLUE.",
        task_weights="What the losses of tasks are multiplied by: "
        "NAME:WEIGHT,NAME:FIRST>LAST; the latter changes from step to step. "
        "Default: 1 for all.",
    )
    flags.DEFINE_enum(
        "task_sampling",
        "proportional",
        list(task_sampling.EXPONENTS),
        "How often a task has its turn: in proportion to its examples, equally "
        "often, by the square root of them; annealed: first in proportion, "
        "from epoch to epoch more equally.",
        flag_values=flag_values,
    )
    shared_flags.define_batch_sizes(flag_values, "eval_batch_size")


FLAGS = command_line.flags_of(define_flags)


def _script(task: str) -> Script:
    """Returns what is needed of a task's own script."""
    script = importlib.import_module(task_list.SCRIPTS[task])
    own = getattr(script, "config_from_flags", None)
    read = own or script.Config.from_flags
    fine_tuning = spec.find(task, spec.kinds(task)[0]).fine_tuning
    if fine_tuning is None:

        def define_flags(values: flags.FlagValues) -> None:
            script.define_flags(values)
            # Of the others: nothing is predicted of masked words.
            shared_flags.define_bools(values, do_predict="")

        return Script(define_flags, lambda values: MaskedWords(read(values)))
    pipeline = spec.load(fine_tuning)
    return Script(
        script.define_flags, lambda values: FineTuned(pipeline(read(values)))
    )


def train(config: Config, flag_values: flags.FlagValues) -> None:
    """Tasks → records and model → training → results of each.

    Raises:
        UserError: a file, a row or a checkpoint is not what it must be.
    """
    entries = task_list.read(config)
    # A model of several stays one, whichever of its tasks are asked for.
    is_one = len(entries) == 1 and not locate.tasks(config.output_dir)
    weights = task_sampling.read_weights(
        config.task_weights, [entry.name for entry in entries]
    )

    def made(entry: task_list.Entry) -> ListedTask:
        folder = config.output_dir
        if not is_one:
            folder = task_paths.own_folder(folder, entry.name)
        return task_list.make(
            *(entry, _script(entry.task), flag_values, folder), is_alone=is_one
        )

    tasks = {entry.name: made(entry) for entry in entries}
    config.check_teachers({name: task.config for name, task in tasks.items()})
    if is_one:
        for task in tasks.values():
            task.run_alone()
        return
    # Here, so that --help and bad flags need no TensorFlow.
    from bert.tasks.multitask import training

    training.run(config, tasks, weights)


def _check_unknown(flag: str) -> None:
    """Raises UserError for a flag of the tasks' own scripts."""
    scripts = map(importlib.import_module, task_list.SCRIPTS.values())
    task_list.check_flag(flag, [script.FLAGS for script in scripts])


def main(_: object = None) -> None:
    """Flags → tasks → records and model → training → results of each."""
    train(Config.from_flags(FLAGS), FLAGS)


if __name__ == "__main__":
    command_line.run(main, FLAGS, check_unknown=_check_unknown)
