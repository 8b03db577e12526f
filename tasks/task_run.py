"""What `finetune.run` does once all is checked: records, training, results."""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from absl import logging

from bert.files import atomic_files
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.tasks import record_sets, reports, resuming
from bert.tasks.config import FineTuningConfig
from bert.tasks.record_sets import RecordSet
from bert.tasks.task import FineTuningTask, Walk
from bert.training.length import Length

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    from bert.data.records.record_files import RecordSource
    from bert.modeling.task_model import TaskModel
    from bert.tasks.predictions import Predictions
    from bert.training.feeds import Feed
    from bert.training.run import MakeEvaluate

_details = logging.get_absl_logger().getChild("details")


class TaskRun:
    """One task's way through a run; in the strategy's scope.

    Args:
        task: prepared.
        figures: gets those of the evaluation.
    """

    def __init__(self, task: FineTuningTask, figures: dict[str, Any]):
        self._task = task
        self._figures = figures
        self._config = task.config
        self._sources: dict[str, RecordSource] = {}

    def run(self) -> str | None:
        """Returns why there was nothing to train; None where there was."""
        nothing = None
        make_evaluate = self.make_evaluate()
        if self._config.do_train:
            source = self.training_source()
            self.keep_files()
            nothing = train(self._task, source, make_evaluate)
        if self._config.do_eval or self._config.do_predict:
            # Made by all workers: TensorFlow sends them the chief's start
            # weights.
            model = self._task.make_model()
            self.use(model, load(self._config, model))
        return nothing

    def training_source(self) -> "RecordSource":
        """Returns the records to train on."""
        return self._source(self._task.lessons())

    def keep_files(self) -> None:
        """Keeps, beside the weights, what they mean; the chief does."""
        task, config = self._task, self._config
        if task.prepared.is_chief:
            if task.labels:
                label_files.write(config.output_dir, task.labels)
            task_files.write(
                config.output_dir,
                task.model_task,
                config.bert_config_file,
                config.vocab_file,
            )
            for path, text in task.kept_files().items():
                atomic_files.write_text(path, text)

    def make_evaluate(self) -> "MakeEvaluate | None":
        """Returns what evaluates while training; None: nothing does."""
        evaluation = self._task.evaluation()
        if evaluation is None:
            return None
        # By every worker, although the chief evaluates alone.
        self._walk_sources(evaluation)
        return functools.partial(self._evaluator, evaluation)

    def _evaluator(
        self, evaluation: Walk, model: "TaskModel"
    ) -> Callable[[], Mapping[str, float]]:
        """Returns what evaluates a model with its weights of the moment."""
        answers = self._predictions(evaluation, model)
        return lambda: evaluation.finish(answers).figures

    def use(self, model: "TaskModel", step: int) -> None:
        """Evaluates and predicts; of several workers the chief alone.

        Args:
            model: with the weights to do so with.
            step: their global_step.
        """
        from bert.training import results

        if not self._task.prepared.is_chief:
            return
        for walk in self._task.walks():
            answers = self._predictions(walk, model)
            logging.info("%s", walk.title)
            for line in walk.sizes:
                logging.info("  %s", line)
            _details.info("  Batch size = %d", walk.batch_size)
            figures, made = walk.finish(answers)
            if figures:
                results.write_eval_results(
                    self._config.output_dir, figures, step
                )
                self._figures.update(figures)
            if self._config.writes_reports:
                reports.write(
                    self._config.output_dir,
                    self._task.spec,
                    made,
                    {**figures, "global_step": step},
                )

    def _predictions(
        self, walk: Walk, model: "TaskModel"
    ) -> "dict[str, Predictions]":
        from bert.tasks.predictions import Predictions

        return {
            name: Predictions(
                model,
                source,
                walk.batch_size,
                walk.select,
                self._task.prepared.fixed_shapes,
            )
            for name, source in self._walk_sources(walk).items()
        }

    def _walk_sources(self, walk: Walk) -> "dict[str, RecordSource]":
        return {name: self._source(each) for name, each in walk.sets.items()}

    def _source(self, records: RecordSet) -> "RecordSource":
        """Returns a set's records, which are written once."""
        if records.file not in self._sources:
            prepared = self._task.prepared
            file = record_sets.write(
                *(records, self._config.output_dir, prepared.tokenizer),
                self._config.records_dir,
            )
            self._sources[records.file] = record_sets.source(
                prepared.bert_config,
                [file.path],
                records.fields,
                records.limits,
                lengths=file.lengths,
            )
        return self._sources[records.file]


def length_of(config: FineTuningConfig, num_examples: int) -> Length:
    """Returns how long to train, on so many examples an epoch."""
    steps = int(
        num_examples / config.train_batch_size * config.num_train_epochs
    )
    return Length(
        steps, int(steps * config.warmup_proportion), "num_train_epochs"
    )


def train(
    task: FineTuningTask,
    source: "RecordSource",
    make_evaluate: "MakeEvaluate | None" = None,
) -> str | None:
    """Trains num_train_epochs, from where output_dir's run stands.

    Args:
        task: prepared; its strategy's scope is open.
        source: the training records.
        make_evaluate: for --eval_steps: returns, for the model, what computes
            its metrics at any moment.

    Returns:
        Why there was nothing to train; None where there was.

    Raises:
        UserError: a checkpoint does not fit the model, there are too few
            examples for a step, or the loss is not finite.
    """
    from bert.tasks import run_weights
    from bert.training import run

    config = run_weights.with_start(task.config)
    length = length_of(config, task.num_examples)
    logging.info("***** Running training *****")
    task.log_training_size(source)
    return run.train(
        config,
        length,
        task.make_model,
        training_feed(task, source),
        make_evaluate,
        lambda: keep(task),
    )


def keep(task: FineTuningTask) -> None:
    """Keeps what a run is made with from here on; tells what is another."""
    examples = [task.training_set()]
    if task.teacher and task.unlabelled:
        examples.append(task.unlabelled_set())
    resuming.keep(
        task.config,
        task.model_task,
        task.labels,
        itertools.chain.from_iterable(each.inputs() for each in examples),
        task.teacher.digest if task.teacher else None,
    )


def training_feed(task: FineTuningTask, source: "RecordSource") -> "Feed":
    """Returns what a task's training takes its batches from.

    Args:
        task: prepared.
        source: its training records.
    """
    cut = task.cuts_padding and not task.prepared.fixed_shapes
    return record_sets.training_feed(
        *(source, task.config, cut, cut and task.config.length_buckets),
        task.teacher.objective if task.teacher else None,
    )


def load(config: FineTuningConfig, model: "TaskModel") -> int:
    """Gives a model the weights to evaluate or predict with.

    Returns:
        The checkpoint's global_step; 0 where nothing was trained.
    """
    from bert.tasks import run_weights
    from bert.training import run

    return run.load_trained(model, *run_weights.used(config))
