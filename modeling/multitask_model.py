"""Several tasks on one encoder.

Weights of a task named N, beside the encoder's, in checkpoints:

    tasks/N/output_weights                    of a classifier
    tasks/N/cls/squad/output_weights          of a SpanModel
"""

from collections.abc import Mapping

import keras

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
