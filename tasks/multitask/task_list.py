"""The file of --tasks: which tasks, with which flags.

    [{"name": "mrpc"},
     {"name": "answers", "task": "squad", "train_file": "train.json"}]

Imports without TensorFlow.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from absl import flags

from bert.cli import command_line
from bert.data.tables import json_node
from bert.data.tables.json_node import Node
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import locate
from bert.tasks.classification.config import processors
from bert.tasks.multitask.config import Config
from bert.tasks.multitask.listed import ListedTask, naming

# A teacher is one task's.
TEACHER = (
    "teacher_dir",
    "distill_alpha",
    "distill_temperature",
    "distill_data",
)
# Those flags of the whole run that a task may have a value of its own for.
OWN = (
    *("data_dir", "eval_batch_size", "eval_report", "length_buckets"),
    *("max_seq_length", "predict_batch_size"),
    *TEACHER,
)
# Those that mean something else to a task.
_ELSE = (
    "data_dir",
    "teacher_annealing",  # it is of those that have a teacher
)
# Those of figures that a task beside others does not have.
_OF_SEVERAL = ("early_stopping_patience", "save_best")
_THE_RUNS = "which is the whole run's: see run_multitask.py --help"
# What a task's flags may not be, whatever its script knows, and why.
_NEVER = {
    **dict.fromkeys(
        ("folds", "grow_labels"),
        "which is for a task that is trained alone: use its own script",
    ),
    **dict.fromkeys(
        ("num_train_steps", "num_warmup_steps"),
        "which is the whole run's: give --num_train_epochs and "
        "--warmup_proportion",
    ),
    "log_style": _THE_RUNS,
}
# Whose flags a task takes.
SCRIPTS = {
    "classification": "bert.run_classifier",
    "multiple_choice": "bert.run_multiple_choice",
    "ner": "bert.run_ner",
    "pretraining": "bert.run_pretraining",
    "squad": "bert.run_squad",
}


class Entry(NamedTuple):
    """A task of the list.

    Attributes:
        name: what the run calls it.
        task: one of `SCRIPTS`.
        words: its own flags, as on a command line.
    """

    name: str
    task: str
    words: Sequence[str]


class Script(NamedTuple):
    """What is needed of a task's script.

    Attributes:
        define_flags: defines its flags.
        make: makes a run of the task, from their values.
    """

    define_flags: Callable[[flags.FlagValues], None]
    make: Callable[[flags.FlagValues], ListedTask]


def read(config: Config) -> list[Entry]:
    """Reads the file of --tasks.

    Raises:
        UserError: it is no list of tasks.
    """
    found: list[Entry] = []
    for node in _nodes(json_node.read(config.tasks)):
        name = node.child("name", str)
        _check_name(name, [entry.name for entry in found])
        task, more = _task(node, name.value, config)
        own = {k: v for k, v in node.value.items() if k not in ("name", "task")}
        words = [_word(node, key, value) for key, value in own.items()]
        found.append(Entry(name.value, task, [*more, *words]))
    return found


def _nodes(whole: Node) -> Iterator[Node]:
    if not whole.check(list).value:
        raise whole.fault("expected a task or more", "an empty list")
    for number, value in enumerate(whole.value):
        # A name alone will do.
        entry = {"name": value} if isinstance(value, str) else value
        yield Node(whole.file, f"[{number}]", entry).check(dict)


def _check_name(name: Node, others: Sequence[str]) -> None:
    """Raises UserError where a task cannot be called so beside others."""
    received = json.dumps(name.value)[:80]
    if not task_paths.NAME.fullmatch(name.value):
        raise name.fault(
            "expected a name of letters, digits, '_', '-' and '.', at most "
            f"{task_paths.MOST_CHARS}, the first a letter or a digit",
            received,
        )
    if name.value == "mean":
        raise name.fault(
            "expected another name: mean is what all figures are called",
            received,
        )
    # Some file systems take names for equal that differ in case alone.
    if name.value.lower() in [other.lower() for other in others]:
        raise name.fault(
            "expected names that differ, in more than case", received
        )


def _task(node: Node, name: str, config: Config) -> tuple[str, list[str]]:
    """Returns what kind of task an entry is, and flags that follow from it."""
    if "task" in node.value:
        task = node.child("task", str)
        if task.value not in SCRIPTS:
            raise task.fault(
                f"expected one of {', '.join(SCRIPTS)}", json.dumps(task.value)
            )
        words = []
        if task.value == "pretraining":
            second = node.value.get("next_sentence", "none")
            if second != "none":
                raise node.child("next_sentence", str).fault(
                    'expected "none": text is a task of masked words alone',
                    json.dumps(second)[:60],
                )
            words = ["--next_sentence=none"]
        return task.value, words
    if name.lower() not in processors:
        raise node.fault(
            f'expected the key "task" (one of {", ".join(SCRIPTS)}), or the '
            "name of a task of GLUE",
            f'the name "{name}"',
        )
    words = [f"--task_name={name.lower()}"]
    if "data_dir" not in node.value:
        words.append(f"--data_dir={_glue_folder(node, name, config.data_dir)}")
    return "classification", words


def _glue_folder(node: Node, name: str, data_dir: str | None) -> str:
    """Returns where a task of GLUE is in --data_dir, by any case."""
    if data_dir is None:
        raise node.fault(
            'expected the key "data_dir", or --data_dir, with a folder for '
            "each task of GLUE",
            "neither",
        )
    wanted = name.lower().replace("-", "").removesuffix("mm")
    folders = os.listdir(data_dir) if os.path.isdir(data_dir) else ()
    for folder in sorted(folders):
        if folder.lower().replace("-", "") == wanted:
            return os.path.join(data_dir, folder)
    return os.path.join(data_dir, name)


def _word(node: Node, flag: str, value: Any) -> str:
    """Returns a flag of a task as on a command line."""
    is_list = isinstance(value, list) and bool(value)
    if is_list and all(isinstance(x, str) and "," not in x for x in value):
        value = ",".join(value)
    if isinstance(value, dict | list) or value is None:
        raise Node(node.file, f"{node.place}.{flag}", value).fault(
            "expected a string, a number, true, false, or a list of strings "
            "without commas",
            json.dumps(value)[:60],
        )
    return f"--{flag}={value}"


def check_flag(flag: str, scripts: Collection[flags.FlagValues]) -> None:
    """Raises UserError for a flag that a task may have, and the run not.

    Args:
        flag: of run_multitask.py's command line; unknown to it.
        scripts: the flags of all tasks' scripts.
    """
    for name in (flag, flag.removeprefix("no")):
        if any(name in known for known in scripts):
            advice = (
                "which is one task's: give it to the task in the file of "
                f'--tasks, as its key "{name}"'
            )
            raise UserError(
                "Expected flags of the whole run. Received: "
                f"--{flag}, {_NEVER.get(name, advice)}."
            )


def make(
    entry: Entry,
    script: Script,
    run_flags: flags.FlagValues,
    output_dir: str,
    *,
    is_alone: bool = False,
) -> ListedTask:
    """Makes a task of the list.

    Args:
        entry: what the list says of it.
        script: of its kind.
        run_flags: those of the whole run.
        output_dir: the task's own.
        is_alone: whether there is no other.

    Raises:
        UserError: a flag of it is wrong, or is the whole run's.
    """
    known = command_line.flags_of(script.define_flags)
    for word in entry.words:
        flag = word[2:].partition("=")[0]
        fault = None
        if flag not in known:
            fault = f"which {entry.task} does not have"
        elif flag in _NEVER:
            fault = _NEVER[flag]
        elif flag in run_flags and flag not in OWN:
            fault = _THE_RUNS
        if fault:
            raise UserError(
                f"--tasks, {entry.name}: expected flags of the task. Received: "
                f'"{flag[:60]}", {fault}.'
            )
    shared = [
        f"--{name}={run_flags[name].value}"
        for name in known
        if name in run_flags
        and run_flags[name].value is not None
        and (name not in OWN or run_flags[name].present)
        and name not in (_ELSE if is_alone else _ELSE + _OF_SEVERAL)
    ]
    if is_alone and (start := _own_start(entry.name, run_flags)):
        shared.append(f"--init_checkpoint={start}")
    if any(word.startswith("--teacher_dir=") for word in entry.words):
        shared.append(f"--teacher_annealing={run_flags.teacher_annealing}")
    words = [*shared, *entry.words, f"--output_dir={output_dir}"]
    with naming(entry.name):
        values = command_line.read(script.define_flags, words, quiet=True)
        return script.make(values)


def _own_start(name: str, run_flags: flags.FlagValues) -> str | None:
    """Returns init_checkpoint of a task alone, if it has a task of this name.

    Several tasks find their heads in it by their names.
    """
    path = run_flags.init_checkpoint
    if path is None or task_paths.split(path)[1]:
        return None
    folder = path if os.path.isdir(path) else task_paths.folder_of(path)
    kept = (locate.tasks(each) for each in task_paths.folders(folder))
    return task_paths.join(path, name) if name in chain(*kept) else None
