"""Masked words as one of several tasks: run_pretraining.py's records.

TensorFlow is imported where it is used.
"""

import functools
from typing import TYPE_CHECKING

from bert.errors import UserError
from bert.tasks import changed_config, outputs, reports, spec
from bert.tasks.multitask.listed import ListedTask
from bert.tasks.pretraining import inputs
from bert.tasks.pretraining.config import Config
from bert.tasks.task import Prepared

if TYPE_CHECKING:
    from bert.data.records.record_files import RecordSource
    from bert.tasks.pretraining.teacher import Teacher
    from bert.tasks.pretraining.watching import Watch
    from bert.training.head_check import Start


class MaskedWords(ListedTask):
    """Words that are masked in text, and guessed.

    Args:
        config: the flags' values; without a second task.
    """

    _source: "RecordSource"
    _watch: "Watch"
    _teacher: "Teacher | None"

    def __init__(self, config: Config):
        self.config: Config = changed_config.applied(config)
        if not config.learns_words:
            raise UserError(
                "--distill_alpha=1 with --distill_top_k=0 learns no words, and "
                "leaves out the end of an encoder that other tasks use. Give "
                "another share, or words of the teacher."
            )

    @property
    def spec(self):
        return spec.find("pretraining")

    @property
    def model_task(self):
        return inputs.task_of(self.config)

    @property
    def input_files(self):
        return [self.config.vocab_file, self.config.bert_config_file]

    @property
    def written(self):
        return ["eval_results.txt", *reports.FILES]

    def run_alone(self):
        raise UserError(
            "--tasks has masked words alone, which is pre-training: "
            "run_pretraining.py does that. Name a task beside them, or use "
            "that script."
        )

    def check_outputs(self):
        outputs.check(self.config, self.written, self.input_files)

    def read(self, start):
        self._start: Start = start
        self._files = inputs.record_files(self.config)

    def prepare(self, prepared: Prepared):
        from bert.data.records import record_files
        from bert.tasks.pretraining import origin, records, teacher, training
        from bert.tasks.pretraining.watching import Watch

        self._prepared = prepared
        sizes = prepared.bert_config
        config = self.config = origin.completed(
            self.config, sizes, self._files, self._start
        )
        sizes.check_sequence_length(config.max_seq_length)
        files = teacher.find(config, sizes)
        # First of all: some must be made before any operation runs.
        prepared.strategy()
        self._teacher = teacher.make(files, config, sizes) if files else None
        source = training.record_source(
            config, sizes, self._files, is_trained=config.do_train
        )
        record_files.check_records(source)
        self._source = source
        if config.do_train:
            config = self.config = records.settled(config, source.files)
        self._watch = Watch(
            training.evaluated_source(config, sizes, source), None
        )
        outputs.check(
            config,
            self.written,
            [*self.input_files, *source.files, *self._watch.source.files],
        )

    def ask_teacher(self):
        pass  # It says something of each batch.

    @functools.cached_property
    def num_examples(self):
        if not self.config.do_train:
            return 0
        from bert.data.records import record_files

        return record_files.num_records(self._source)

    def metric_names(self):
        # Perplexity is watched with the entropy of all masked ids.
        return [n for n in self.config.metric_names if n != "perplexity"]

    def data_files(self):
        evaluated = self._watch.source
        files = [("input", file, None) for file in self._source.files]
        if evaluated is not self._source:
            files += [("eval", file, None) for file in evaluated.files]
        return files

    def make_model(self, seed=None):
        from bert.tasks.pretraining import training

        return training.make_model(
            self.config, self._prepared.bert_config, seed
        )

    def make_evaluate(self):
        from bert.tasks.pretraining import training

        if not self.config.evaluates_in_training:
            return None
        return functools.partial(training.evaluator, self.config, self._watch)

    def feed(self):
        from bert.tasks.pretraining import training

        return training.feed(self.config, self._source, self._teacher)

    def keep(self):
        from bert.tasks.pretraining import training

        training.keep(self.config, self._source, self._teacher)

    def use(self, model, step):
        from bert.tasks.pretraining import training

        if not self.config.do_eval:
            return {}
        return training.judge(
            *(self.config, self._prepared.bert_config, self._watch),
            *(model, step),
        )
