"""Several tasks on one encoder.

Weights of a task named N, beside the encoder's, in checkpoints:

    tasks/N/output_weights                    of a classifier
    tasks/N/cls/squad/output_weights          of a SpanModel
"""

from collections.abc import Iterable, Mapping

import keras

from bert.files.task_paths import SCOPE
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.task_model import TaskModel


class MultitaskModel(keras.layers.Layer):
    """An encoder, and the models of several tasks that share it.

    Args:
        backbone: the encoder.
        tasks: the models by their tasks' names, made while `sharing` it.
    """

    def __init__(self, backbone: Backbone, tasks: Mapping[str, TaskModel]):
        super().__init__(name="multitask_model", autocast=False)
        self.backbone = backbone
        self.tasks = dict(tasks)
        if not any(task.uses_pooler for task in self.tasks.values()):
            backbone.freeze_pooler()


# What a run trains.
Trainable = TaskModel | MultitaskModel


def scope_of(task: str) -> str:
    """Returns what stands before the names of a task's own weights."""
    return f"{SCOPE}/{task}/"


def without_task(name: str) -> str:
    """Returns a weight's name as it is in a model of one task alone."""
    parts = name.split("/", 2)
    return parts[2] if parts[0] == SCOPE and len(parts) == 3 else name


def tasks_of(names: Iterable[str]) -> list[str]:
    """Returns the tasks that have weights of their own, sorted.

    Args:
        names: of a checkpoint's tensors.
    """
    parts = (name.split("/") for name in names)
    return sorted({part[1] for part in parts if part[0] == SCOPE})
