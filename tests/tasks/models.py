"""A tiny model of every task, as `tasks.inference` sees it."""

from bert.data.records import long_texts
from bert.data.records.long_texts import LongTexts
from bert.model_folder.task_files import Task
from bert.tasks import inference, spec
from bert.tasks.inference import Inference
from tests.conversion import run_folder

LABELS = {
    "classification": ("no", "ja", "?"),
    "multi_label": ("red", "light blue"),
    "ner": ("O", "B-PER", "I-PER"),
}


def name_of(row: spec.Spec) -> str:
    """What tells a row's task from all others: its kind, or its name."""
    return row.kind or row.task


def make(
    name: str,
    tokenizer=None,
    top_k: int = 1,
    cut: LongTexts = long_texts.END,
    **changes,
) -> Inference:
    """Makes the `Inference` of a tiny model.

    Args:
        name: see `name_of`.
        tokenizer: see `Inference`.
        top_k: see `Inference`.
        cut: the task's `long_texts`.
        **changes: of the configuration.
    """
    (row,) = (row for row in spec.SPECS if name_of(row) == name)
    task = Task(
        task=row.task,
        kind=row.kind,
        do_lower_case=True,
        max_seq_length=32,
        options=run_folder.SQUAD_OPTIONS if name == "squad" else row.options,
        long_texts=cut,
    )
    return inference.class_of(task)(
        task,
        run_folder.tiny_config(**changes),
        LABELS.get(name, ()),
        tokenizer,
        top_k,
    )
