"""Several tasks, trained in turns: each batch is one task's.

A step moves the encoder and that task's head; of the other heads, neither
weights nor moments, and nothing is decayed there.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from bert.modeling import checkpoint, checkpoint_names
from bert.modeling.multitask_model import MultitaskModel
from bert.modeling.task_model import Batch
from bert.training import steps
from bert.training.batches import Batches, read
from bert.training.checkpointing import RunState
from bert.training.feeds import Distribute, Feed
from bert.training.loss_scale import LossScale
from bert.training.objectives.task_sampling import Slope, TaskOrder
from bert.training.optimization import AdamWeightDecay
from bert.training.steps import StepSettings

# The tasks of so many batches are drawn at a time.
_DRAWN = 1024


class Turn(NamedTuple):
    """A batch, and whose it is.

    Attributes:
        task: the task's name.
        batch: of its records.
    """

    task: str
    batch: Batch


class Turns:
    """The batches of several tasks, one after the other, without end.

    Args:
        datasets: of each task; distributed.
        feeds: of each task.
        order: whose turn it is.
        drawn: batches drawn so far.

    Attributes:
        element_spec: of each task's batches.
    """

    def __init__(
        self,
        datasets: Mapping[str, Any],
        feeds: Mapping[str, Feed],
        order: TaskOrder,
        drawn: int,
    ):
        self._datasets = datasets
        self._feeds = feeds
        self._order = order
        self._drawn = drawn
        self.element_spec = {
            name: getattr(dataset, "element_spec", None)
            for name, dataset in datasets.items()
        }

    def __iter__(self) -> Iterator[Turn]:
        iterators = {
            name: read(Batches(dataset, self._feeds[name].unreadable))
            for name, dataset in self._datasets.items()
        }
        first = self._drawn
        while True:
            for name in self._order.drawn(first, _DRAWN):
                yield Turn(name, next(iterators[name]))
            first += _DRAWN


@dataclasses.dataclass(frozen=True)
class Multitask:
    """How several tasks are trained.

    Attributes:
        feeds: by the tasks' names.
        order: makes the order of the turns, from a seed.
        weights: what each task's loss is multiplied by.
        batch_size: rows of a batch, over all devices.
    """

    feeds: Mapping[str, Feed]
    order: Callable[[int], TaskOrder]
    weights: Mapping[str, Slope]
    batch_size: int

    @property
    def num_other_weights(self) -> int:
        """As of `Feed`: of all tasks."""
        return sum(feed.num_other_weights for feed in self.feeds.values())

    def batches(self, state: RunState, distribute: Distribute) -> Batches:
        """Returns the batches of a run, from where it stands.

        Args:
            state: of the run.
            distribute: makes a distributed dataset of what makes a worker's.
        """
        order = self.order(state.seed)
        drawn = state.examples_seen // self.batch_size
        datasets = {}
        for name, count in order.counts(drawn).items():
            seen = count * self.batch_size
            own = dataclasses.replace(state, examples_seen=seen)
            datasets[name] = distribute(
                functools.partial(self.feeds[name].make_batches, own)
            )
        return Batches(Turns(datasets, self.feeds, order, drawn))

    def compile(
        self,
        model: MultitaskModel,
        optimizer: AdamWeightDecay,
        settings: StepSettings,
        specs: Mapping[str, Mapping[str, tf.TypeSpec] | None],
        loss_scale: LossScale | None = None,
    ) -> Callable[[Turn], dict[str, tf.Tensor]]:
        """Returns a step; see `compile_train_step`, whose figures it returns.

        They have the task's name in front; `loss` and `gradient_norm` are
        there without it, too.
        """
        compiled = {
            name: self.feeds[name].compile(
                task,
                optimizer.of(_used_by(model, name, optimizer.variables)),
                settings._replace(
                    loss_weight=functools.partial(
                        self._weight,
                        name,
                        lambda: steps.share_done(optimizer, settings),
                    )
                ),
                specs[name],
                loss_scale,
            )
            for name, task in model.tasks.items()
        }

        def step(turn: Turn) -> dict[str, tf.Tensor]:
            figures = compiled[turn.task](turn.batch)
            own = {f"{turn.task}/{n}": v for n, v in figures.items()}
            return {
                **{n: figures[n] for n in ("loss", "gradient_norm")},
                **{n: v for n, v in own.items() if n.endswith("loss")},
            }

        return step

    def _weight(self, task: str, done: Callable[[], tf.Tensor]) -> tf.Tensor:
        """Returns what a task's loss is multiplied by in the coming step."""
        start, end = self.weights[task]
        return start + (end - start) * done()


def _used_by(
    model: MultitaskModel, task: str, names: Mapping[str, object]
) -> list[str]:
    """Returns those weights that a task's batches move.

    Args:
        model: the model.
        task: the task's name.
        names: of all weights that are trained.
    """
    own = checkpoint_names.scope_of(task)
    pooler = f"{model.backbone.scope}/pooler/"
    encoder = checkpoint.in_encoder(names, model)
    if not model.tasks[task].uses_pooler:
        encoder = tuple(n for n in encoder if not n.startswith(pooler))
    return [n for n in names if n in encoder or n.startswith(own)]
