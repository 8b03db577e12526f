"""A task of several that one of the scripts fine-tunes alone.

Imports without TensorFlow.
"""

import functools
from typing import Any

from bert.tasks import finetune, task_run, teachers
from bert.tasks.multitask.listed import ListedTask
from bert.tasks.task import FineTuningTask


class FineTuned(ListedTask):
    """A task that one of the scripts fine-tunes.

    Args:
        task: of its flags.
    """

    def __init__(self, task: FineTuningTask):
        self.config = task.config
        self._task = task
        self._figures: dict[str, Any] = {}

    @functools.cached_property
    def _run(self) -> task_run.TaskRun:
        return task_run.TaskRun(self._task, self._figures)

    @property
    def spec(self):
        return self._task.spec

    @property
    def model_task(self):
        return self._task.model_task

    @property
    def input_files(self):
        return self._task.input_files

    @property
    def written(self):
        return finetune.written_by(self._task)

    def run_alone(self):
        finetune.run(self._task)

    def check_outputs(self):
        finetune.check_outputs(self._task, self.written)

    def read(self, start):
        self._task.read(start)
        self.labels = self._task.labels
        start.check_outputs(self._task.num_outputs)

    def prepare(self, prepared):
        # That of the whole run is another flag.
        prepared.bert_config.check_sequence_length(self.config.max_seq_length)
        self._task.prepare(prepared)
        self._task.teacher = teachers.find(self._task)

    def ask_teacher(self):
        if self._task.teacher:
            _ = self._task.teacher.logits

    @property
    def num_examples(self):
        return self._task.num_examples

    def metric_names(self):
        return self._task.metric_names()

    def data_files(self):
        return self._task.data_files()

    def make_model(self, seed=None):
        return self._task.make_model(seed)

    def make_evaluate(self):
        return self._run.make_evaluate()

    def feed(self):
        source = self._run.training_source()
        self._run.keep_files()
        return task_run.training_feed(self._task, source)

    def keep(self):
        task_run.keep(self._task)

    def use(self, model, step):
        self._run.use(model, step)
        return self._figures
