"""What fine-tuning asks of a task: `finetune.run` walks through it.

A task is a folder with a subclass of `FineTuningTask` in `finetuning.py`, a
script with its flags, and a row in `spec.SPECS`. Imports without TensorFlow.
"""

import abc
import contextlib
import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from absl import logging

from bert.data.records import long_texts
from bert.data.records.long_texts import LongTexts
from bert.files import task_paths
from bert.model_folder import task_files
from bert.tasks import changed_config, splits
from bert.tasks.config import FineTuningConfig, SetsConfig
from bert.tasks.record_sets import RecordSet
from bert.tasks.reports import MakeReport
from bert.tasks.spec import Option, Spec

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.data.records.record_files import RecordSource
    from bert.data.text.tokenization import FullTokenizer
    from bert.modeling import BertConfig
    from bert.modeling.backbones.backbone import ModelOptions
    from bert.modeling.task_model import TaskModel
    from bert.tasks.predictions import Predictions, Select
    from bert.tasks.teachers import Teacher
    from bert.training.diary import DataFile
    from bert.training.head_check import Start


class Prepared(NamedTuple):
    """What a run works with.

    Attributes:
        strategy: returns the one strategy, which the first call makes: not
            before all is checked that needs no TensorFlow. Open its scope for
            all that follows, inside of `worker_barrier`.
        bert_config: the model's sizes.
        tokenizer: with the model's vocabulary.
        compute_dtype: of the matrix products.
    """

    strategy: "Callable[[], tf.distribute.Strategy]"
    bert_config: "BertConfig"
    tokenizer: "FullTokenizer"
    compute_dtype: str = "float32"

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the results."""
        from bert.training import strategy

        with self.strategy().scope():
            return strategy.is_chief()

    @property
    def fixed_shapes(self) -> bool:
        """Whether every batch must have the same shape."""
        from bert.training import strategy

        return strategy.needs_fixed_shapes(self.strategy())

    def worker_barrier(self) -> contextlib.AbstractContextManager[None]:
        """Makes all workers wait at its end; goes round the scope."""
        from bert.training import strategy

        return strategy.worker_barrier(self.strategy())

    def model_options(self, seed: int | None) -> "ModelOptions":
        """Returns what a model is made with, its start weights of a seed."""
        return {"compute_dtype": self.compute_dtype, "init_seed": seed}


class Outcome(NamedTuple):
    """What is made of a model's answers.

    Attributes:
        figures: what they are worth, for eval_results.txt; {}: none.
        reports: what makes the report on each part of the dev set, by the
            part's name. It is called after an evaluation of its own, not in
            training; what it needs of the answers, it holds.
    """

    figures: Mapping[str, Any]
    reports: "Mapping[str, MakeReport]" = MappingProxyType({})


class Walk(NamedTuple):
    """A model goes through examples, and something is made of its answers.

    Attributes:
        sets: the examples, by name; "" for the main set.
        batch_size: records that are computed together.
        select: see `Predictions`.
        finish: takes the answers about each set, by its name.
        title: logged before the trained model does it.
        sizes: logged after that, without the batch size.
    """

    sets: Mapping[str, RecordSet]
    batch_size: int
    select: "Select"
    finish: "Callable[[Mapping[str, Predictions]], Outcome]"
    title: str = "***** Running evaluation *****"
    sizes: Sequence[str] = ()


class FineTuningTask(abc.ABC):
    """One run of a task: what it reads, learns, answers and writes.

    The pipeline calls `read`, then `prepare`, then the others.

    Args:
        config: the values of the script's flags.

    Attributes:
        results: names of all files that the task writes to output_dir.
        cuts_padding: whether training may leave out padding, which then has
            no part in the loss.
        labels: what the outputs are called, in the order of their numbers;
            `read` sets them. None where outputs have no names.
        prepared: what `prepare` was given.
        unlabelled: the examples without labels to learn of a teacher
            (--distill_data); `read` sets them.
        teacher: what the model learns from beside labels; the pipeline sets
            it.
    """

    results: ClassVar[Sequence[str]]
    cuts_padding: bool = True
    config: FineTuningConfig
    prepared: Prepared
    teacher: "Teacher | None" = None

    def __init__(self, config: FineTuningConfig):
        self.config = changed_config.applied(config)
        self.labels: Sequence[str] = ()
        self.unlabelled: list[Any] = []

    @property
    @abc.abstractmethod
    def spec(self) -> Spec:
        """The task's row in the table of tasks."""

    @property
    @abc.abstractmethod
    def input_files(self) -> Sequence[str | None]:
        """The files that flags name, which no result may replace."""

    def data_files(self) -> "Sequence[DataFile]":
        """Returns the files of examples that were read, as far as known.

        Each as `training.diary.Diary` takes it.
        """
        return []

    @abc.abstractmethod
    def read(self, start: "Start") -> None:
        """Reads the examples that the command needs, and checks them.

        Args:
            start: the checkpoint that the run begins with.

        Raises:
            UserError: a file, an example or a label is not what it must be.
        """

    def prepare(self, prepared: Prepared) -> None:
        """Takes what features are made with; may check them.

        Raises:
            UserError: no feature can be made of the examples.
        """
        self.prepared = prepared

    @property
    @abc.abstractmethod
    def num_examples(self) -> int:
        """What an epoch of training is counted in; 0: nothing to train on."""

    @abc.abstractmethod
    def metric_names(self) -> Sequence[str]:
        """Returns the names of an evaluation's figures."""

    @abc.abstractmethod
    def make_model(self, seed: int | None = None) -> "TaskModel":
        """Returns the task's model with start weights of a seed."""

    @abc.abstractmethod
    def training_set(self) -> RecordSet:
        """Returns the examples to train on."""

    @property
    def has_pairs(self) -> bool:
        """Whether there are examples of two texts, which makes segments."""
        return True

    def unlabelled_set(self) -> RecordSet:
        """Returns `unlabelled` as `training_set` does, with any labels."""
        raise NotImplementedError

    def lessons(self) -> RecordSet:
        """Returns what is trained on, with what a teacher says of it."""
        return self.teacher.lessons() if self.teacher else self.training_set()

    def read_by(self, config: FineTuningConfig, prepared: Prepared) -> Self:
        """Returns the task with the same examples, for another model.

        Args:
            config: the flags' values, with the other model's.
            prepared: with the other model's sizes and vocabulary.
        """
        other = copy.copy(self)
        other.config = config
        other.prepare(prepared)
        return other

    @abc.abstractmethod
    def evaluation(self) -> Walk | None:
        """Returns how a model is evaluated; None: the command does not."""

    @abc.abstractmethod
    def walks(self) -> Iterator[Walk]:
        """Yields what the trained model is to do, one after the other."""

    def options(self) -> Mapping[str, Option]:
        """Returns the options that task.json keeps."""
        return {}

    def table(self) -> Mapping[str, str | bool]:
        """Returns how tables were read, as task.json keeps it."""
        return {}

    def long_texts(self) -> LongTexts:
        """Returns how texts are read that are too long, for task.json."""
        return long_texts.END

    def kept_files(self) -> Mapping[str, str]:
        """Returns the texts of further files that training keeps, by path."""
        return {}

    def log_training_size(self, source: "RecordSource") -> None:
        """Logs how much there is to train on."""
        del source  # other tasks count its records
        logging.info("  Num examples = %d", self.num_examples)

    @property
    def num_outputs(self) -> int:
        """How many numbers the head gives, L."""
        return self.spec.num_outputs or len(self.labels)

    @property
    def model_task(self) -> task_files.Task:
        """What the model is for, as it is kept with its checkpoints."""
        return task_files.Task(
            task=self.spec.task,
            kind=self.spec.kind,
            do_lower_case=self.config.do_lower_case,
            max_seq_length=self.config.max_seq_length,
            options=self.options(),
            table=self.table(),
            long_texts=self.long_texts(),
        )


class SetsTask(FineTuningTask):
    """A task that reads a training, a dev and a test set.

    It is evaluated on the dev set and writes predictions for the test set.

    Attributes:
        record_files: where the records of each set are written to.
        prediction_title: logged before the test set is predicted.
    """

    record_files: ClassVar[Mapping[str, str]] = {
        "train": "train.tf_record",
        "dev": "eval.tf_record",
        "test": "predict.tf_record",
    }
    prediction_title: ClassVar[str] = "***** Running prediction*****"
    config: SetsConfig
    _split: splits.Split | None = None

    @property
    def input_files(self) -> Sequence[str | None]:
        """The files of the sets."""
        config = self.config
        return config.train_file, config.dev_file, config.test_file

    def divided(
        self, start: "Start", rows: splits.Rows, examples: Sequence[Any]
    ) -> dict[str, list[Any]]:
        """Returns what one file has of those sets that the command needs.

        Args:
            start: the checkpoint that the run begins with.
            rows: of the file.
            examples: for each of them.

        Raises:
            UserError: see `splits.find`.
        """
        model_folder = None
        if start.reader and not self.config.do_train:
            model_folder = task_paths.folder_of(start.reader.prefix)
        self._split = splits.find(self.config, rows, model_folder)
        return self._split.sets(self.config.needed_sets, examples)

    def kept_files(self) -> Mapping[str, str]:
        """Returns the text of split.json, of a run that has one."""
        if self._split is None:
            return {}
        path = os.path.join(self.config.split_folder, splits.FILE_NAME)
        return {path: self._split.to_json()}

    def data_files(self) -> "Sequence[DataFile]":
        """Returns the files of the sets."""
        files = [(n, *self.set_file(n)) for n in self.config.needed_sets]
        files.append(
            ("distill", self.config.distill_file, len(self.unlabelled))
        )
        return [(name, path, rows) for name, path, rows in files if path]

    @abc.abstractmethod
    def set_file(self, name: str) -> tuple[str | None, int]:
        """Returns where a set was read from, if known, and its rows."""

    def parts(self, name: str) -> Sequence[str]:
        """Returns the names of the parts of a set; "" is its main part.

        Args:
            name: dev or test.
        """
        return [""] if name in self.config.needed_sets else []

    @abc.abstractmethod
    def records(self, name: str, part: str = "") -> RecordSet:
        """Returns the records of a part of the train, dev or test set."""

    @abc.abstractmethod
    def size(self, name: str, part: str) -> str:
        """Returns what is logged of the size of a part of a set."""

    @abc.abstractmethod
    def select(self, name: str) -> "Select":
        """Returns what is kept of the outputs for the dev or test set."""

    @abc.abstractmethod
    def judge(
        self, answers: "Mapping[str, Predictions]", in_training: bool
    ) -> Outcome:
        """Returns the figures of the dev set, and what reports on it.

        Args:
            answers: the model's, to each part of the set.
            in_training: whether the training goes on after that.
        """

    @abc.abstractmethod
    def write_predictions(self, part: str, answers: "Predictions") -> None:
        """Writes what the model says of a part of the test set."""

    def training_set(self) -> RecordSet:
        """Returns the records of the training set."""
        return self.records("train")

    def evaluation(self) -> Walk | None:
        """Returns the walk through the dev set."""
        parts = self.parts("dev")
        if not parts:
            return None
        return Walk(
            {part: self.records("dev", part) for part in parts},
            self.config.eval_batch_size,
            self.select("dev"),
            lambda answers: self.judge(answers, in_training=True),
            sizes=[self.size("dev", "")],
        )

    def walks(self) -> Iterator[Walk]:
        """Yields the evaluation, and a walk for each part of the test set."""
        evaluation = self.evaluation()
        if self.config.do_eval and evaluation:
            yield evaluation._replace(
                finish=lambda answers: self.judge(answers, in_training=False)
            )
        for part in self.parts("test"):
            yield Walk(
                {part: self.records("test", part)},
                self.config.predict_batch_size,
                self.select("test"),
                self._write_all,
                title=self.prediction_title,
                sizes=[self.size("test", part)],
            )

    def _write_all(self, answers: "Mapping[str, Predictions]") -> Outcome:
        for part, of_rows in answers.items():
            self.write_predictions(part, of_rows)
        return Outcome({})
