"""What the pipeline of several tasks asks of each.

Each is as its own script would run it, in an output_dir of its own. Imports
without TensorFlow.
"""

import abc
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bert.errors import UserError, one_line
from bert.model_folder.task_files import Task
from bert.tasks.spec import Spec

if TYPE_CHECKING:
    from bert.modeling.task_model import TaskModel
    from bert.tasks.config import TaughtConfig
    from bert.tasks.task import Prepared
    from bert.training.diary import DataFile
    from bert.training.feeds import Feed
    from bert.training.head_check import Start
    from bert.training.run import MakeEvaluate


@contextlib.contextmanager
def naming(name: str) -> Iterator[None]:
    """Lets a UserError say which task of the list it is about."""
    try:
        yield
    except UserError as error:
        raise UserError(f"--tasks, {name}: {one_line(error)}") from error


class ListedTask(abc.ABC):
    """One of several tasks.

    The pipeline calls `run_alone`, where there is no other; else `read`, then
    `prepare`, then the others.

    Attributes:
        config: its flags' values.
        labels: of its outputs, where they have names; `read` sets them.
    """

    config: "TaughtConfig"
    labels: Sequence[str] = ()

    @property
    @abc.abstractmethod
    def spec(self) -> Spec:
        """The task's row in the table of tasks."""

    @property
    @abc.abstractmethod
    def model_task(self) -> Task:
        """What the model is for, as it is kept with its checkpoints."""

    @property
    @abc.abstractmethod
    def input_files(self) -> Sequence[str | None]:
        """The files that flags name, which no result may replace."""

    @property
    @abc.abstractmethod
    def written(self) -> Sequence[str]:
        """The names of the files that it writes to its output_dir."""

    @abc.abstractmethod
    def run_alone(self) -> None:
        """Does what the task's script does.

        Raises:
            UserError: a file is not what it must be; or it cannot.
        """

    @abc.abstractmethod
    def check_outputs(self) -> None:
        """Raises UserError where results cannot be written."""

    @abc.abstractmethod
    def read(self, start: "Start") -> None:
        """Reads the examples, as far as no strategy is needed.

        Args:
            start: the checkpoint that the task begins with.

        Raises:
            UserError: a file, an example or a label is not what it must be.
        """

    @abc.abstractmethod
    def prepare(self, prepared: "Prepared") -> None:
        """Takes what the model is made with; see `FineTuningTask.prepare`."""

    @abc.abstractmethod
    def ask_teacher(self) -> None:
        """Lets a teacher, if there is one, say all that it is to say before."""

    @property
    @abc.abstractmethod
    def num_examples(self) -> int:
        """What an epoch of training is counted in."""

    @abc.abstractmethod
    def metric_names(self) -> Sequence[str]:
        """Returns the names of an evaluation's figures."""

    @abc.abstractmethod
    def data_files(self) -> "Sequence[DataFile]":
        """Returns the files of examples; see `training.diary.Diary`."""

    @abc.abstractmethod
    def make_model(self, seed: int | None = None) -> "TaskModel":
        """Returns the task's model with start weights of a seed."""

    @abc.abstractmethod
    def make_evaluate(self) -> "MakeEvaluate | None":
        """Returns what evaluates while training; None: nothing does."""

    @abc.abstractmethod
    def feed(self) -> "Feed":
        """Returns what the task is trained on."""

    @abc.abstractmethod
    def keep(self) -> None:
        """Keeps what the model is trained with from here on; the chief does."""

    @abc.abstractmethod
    def use(self, model: "TaskModel", step: int) -> Mapping[str, Any]:
        """Evaluates and predicts; of several workers the chief alone.

        Args:
            model: with the weights to do so with.
            step: their global_step.

        Returns:
            The figures of the evaluation; {}: there was none.
        """
