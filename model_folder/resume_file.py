"""resume.json: what the run in output_dir was made with.

A command that goes on with the run must not change what its weights mean: the
model, the task, the labels, the vocabulary, the casing. It may change how they
are trained (128 pieces, then 512), which one line tells.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence

from absl import logging

from bert.data.text import tokenizers
from bert.errors import UserError, one_line
from bert.files import atomic_files, file_bytes, task_paths, text_input
from bert.model_folder import labels as label_files
from bert.model_folder import locate, task_files
from bert.model_folder.task_files import Task
from bert.training import checkpointing

FILE_NAME = "resume.json"
# All that a training keeps in output_dir beside its checkpoints.
KEPT_FILES = (
    FILE_NAME,
    label_files.FILE_NAME,
    task_files.TASK_FILE,
    task_files.CONFIG_FILE,
    *tokenizers.FILES,
)
_SHOWN_CHARS = 24
# What a run may be without, and its value then, which the file does not say.
_OPTIONAL: Mapping[str, object] = {
    "teacher": None,
    "teacher_annealing": False,
    "lm_loss_weight": 0.0,
    "relation_heads": 0,
    "teacher_layer": None,
    "relations_alone": False,
    "cut_padding": False,
}
# What the files of earlier versions do not say, as there was no other value.
_OF_EARLIER = {
    "next_sentence": "nsp",
    "masking": "static",
    "pack_sequences": False,
}

# JSON values by name.
Values = Mapping[str, object]


def meaning(
    task: Task,
    bert_config_file: str,
    vocab_file: str | None,
    labels: Sequence[str] = (),
) -> Values:
    """Returns what decides what a run's weights mean."""
    config = json.loads(text_input.read(bert_config_file))
    return {
        "bert_config": digest([json.dumps(config, sort_keys=True)]),
        "task": task.task,
        "kind": task.kind,
        "labels": list(labels),
        "vocabulary": _vocabulary(vocab_file),
        "do_lower_case": task.do_lower_case,
    }


def _vocabulary(vocab_file: str | None) -> str:
    files = tokenizers.kept_files(vocab_file) if vocab_file else {}
    return digest(map(text_input.read, files.values()))


def digest(parts: Iterable[object]) -> str:
    """Returns a hash of values whose `repr` tells them apart."""
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{part!r}\n".encode())
    return f"sha256:{found.hexdigest()}"


def check(output_dir: str, now: Values, insists: bool) -> None:
    """Compares a command's meaning with that of the run that it goes on with.

    Args:
        output_dir: without a checkpoint, or without a resume.json, all is
            right.
        now: of the command.
        insists: whether another meaning is only told.

    Raises:
        UserError: it is another one, or the file is not one of ours.
    """
    changes = _changes(output_dir, now)
    if not changes:
        return
    if not insists:
        raise UserError(
            f"--output_dir={output_dir} has a run that was made with another "
            f"{changes:.140}, so its weights would mean something else; name "
            "another --output_dir, or insist (--force_resume)."
        )
    logging.warning(
        "--force_resume: the run in %s goes on with another %s.",
        output_dir,
        changes,
    )


def second_task(folder: str) -> str | None:
    """Returns the --next_sentence of a run; None where nothing says it.

    Args:
        folder: of the run's checkpoints, `best` too.
    """
    found = locate.file(folder, FILE_NAME)
    with contextlib.suppress(UserError):  # who goes on with it is told
        if found:
            return str(_read(os.path.dirname(found)).get("next_sentence"))
    return None


def had_other_words(vocab_file: str) -> bool:
    """Returns whether the run in a vocabulary's folder knew another one."""
    kept = None
    with contextlib.suppress(UserError):  # who goes on with the run is told
        kept = _read(os.path.dirname(vocab_file)).get("vocabulary")
    return kept not in (None, digest([]), _vocabulary(vocab_file))


def go_on(output_dir: str, meaning: Values, training: Values) -> None:
    """Tells which values of the training are new, and keeps all.

    Args:
        output_dir: exists; of the run.
        meaning: what `meaning` returned; `check` has passed it.
        training: how the run is trained from here on.
    """
    known = {**meaning, **training}
    optional = {n: v for n, v in _OPTIONAL.items() if n not in known}
    training = {**training, **optional}
    changes = _changes(output_dir, training)
    if changes:
        logging.warning(
            "The run in %s goes on with another %s.", output_dir, changes
        )
    values = {**meaning, **training}
    kept = {
        name: value
        for name, value in values.items()
        if name not in _OPTIONAL or value != _OPTIONAL[name]
    }
    text = json.dumps(kept, indent=2, ensure_ascii=False)
    atomic_files.write_text(os.path.join(output_dir, FILE_NAME), text + "\n")


def _changes(output_dir: str, now: Values) -> str:
    """Says what a run was made with otherwise; "" where nothing is known."""
    # Of a task of several, the checkpoints are in the folder around.
    around = task_paths.run_folder(output_dir)
    folders = (output_dir, *([around] if around else ()))
    if not any(map(checkpointing.newest, folders)):
        return ""
    kept = _read(output_dir)
    before = {**_OPTIONAL, **_OF_EARLIER, **kept}
    # A pre-training on records may have known neither vocabulary nor casing.
    unknown = (None, digest([]))

    def differs(name: str, value: object) -> bool:
        if name in _OPTIONAL:
            return bool(kept) and before.get(name) != value
        return (
            before.get(name) not in (*unknown, value) and value not in unknown
        )

    return ", ".join(
        name + _difference(before.get(name), value)
        for name, value in now.items()
        if differs(name, value)
    )


def _difference(before: object, now: object) -> str:
    if str(now or before).startswith("sha256:"):
        return ""
    old, new = (json.dumps(v, ensure_ascii=False) for v in (before, now))
    return f" ({old:.{_SHOWN_CHARS}} before, {new:.{_SHOWN_CHARS}} now)"


def _read(output_dir: str) -> Values:
    path = os.path.join(output_dir, FILE_NAME)
    if not file_bytes.exists(path):
        return {}
    try:
        values = json.loads(file_bytes.read(path))
        if not isinstance(values, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: expected the JSON object that training leaves. Received: "
            f"{one_line(error)[:80]}; remove the file to go on without knowing "
            "what the run was made with."
        ) from error
    return values
