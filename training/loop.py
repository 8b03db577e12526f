"""Train, evaluate, predict: one loop under any tf.distribute strategy."""

import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from bert.cli.progress import Progress
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.task_model import TaskModel
from bert.training import checkpointing, strategy
from bert.training.loss_scale import LossScale
from bert.training.monitor import Monitor
from bert.training.optimization import AdamWeightDecay
from bert.training.steps import Batch, StepSettings, compile_train_step


class Unreadable(NamedTuple):
    """What to say when a batch cannot be read.

    Attributes:
        errors: what reading one may raise.
        explain: turns such an error into one that names file and record.
    """

    errors: tuple[type[Exception], ...] = ()
    explain: Callable[[Exception], Exception] | None = None


class Batches(NamedTuple):
    """Batches from a file, or from anywhere.

    Attributes:
        dataset: the batches.
        unreadable: what to say when one cannot be read.
    """

    dataset: Iterable[Batch]
    unreadable: Unreadable = Unreadable()


@dataclasses.dataclass(frozen=True)
class TrainSettings:
    """How long to train and what to keep.

    Attributes:
        output_dir: folder of checkpoints and event files; it exists.
        num_train_steps: the step to stop at.
        train_batch_size: rows of a global batch.
        save_checkpoints_steps: steps between checkpoints.
        step: how to take a step.
        log_steps: steps between log lines and points in the event files.
    """

    output_dir: str
    num_train_steps: int
    train_batch_size: int
    save_checkpoints_steps: int
    step: StepSettings
    log_steps: int = 100


class Trained(NamedTuple):
    """What changes in training.

    Attributes:
        model: a task model (`modeling.heads`), its variables created.
        optimizer: over the model's trainable variables.
        loss_scale: under float16.
    """

    model: TaskModel
    optimizer: AdamWeightDecay
    loss_scale: LossScale | None = None


def train(
    trained: Trained,
    batches: Batches,
    settings: TrainSettings,
    state: checkpointing.RunState,
    monitor: Monitor | None = None,
) -> None:
    """Trains from the optimizer's global_step to settings.num_train_steps.

    Saves a checkpoint at step 0, every save_checkpoints_steps and at the end.

    Args:
        trained: see there.
        batches: endless; distributed by the strategy in scope.
        settings: see there.
        state: where the run stands.
        monitor: evaluates in between, if anything is to; it may end the
            training.

    Ctrl-C and SIGTERM end it after the step under way, with a checkpoint: by a
    KeyboardInterrupt, or exit code 143.

    Raises:
        UserError: a batch cannot be read, or the loss is not finite; the
            checkpoints are those of sound steps.
    """
    _TrainLoop(trained, batches, settings, state, monitor).run()


class _TrainLoop:
    """The state of one call of `train`."""

    def __init__(self, trained, batches, settings, state, monitor):
        model, optimizer, self._loss_scale = trained
        self._settings = settings
        self._optimizer = optimizer
        self._batches = batches
        self._monitor = monitor
        self._state = state
        self._tensors = {
            **checkpoint.named_variables(model),
            **optimizer.state(),
        }
        self._train_step = compile_train_step(
            model,
            optimizer,
            settings.step,
            getattr(batches.dataset, "element_spec", None),
            self._loss_scale,
        )
        self._step = int(optimizer.global_step.numpy())
        self._interval = _Interval(self._step)

    def run(self) -> None:
        if self._step == 0 and not checkpointing.newest(
            self._settings.output_dir
        ):
            self._save()
        with _Signals() as signals:
            self._run(_read(self._batches), signals)
        if signals.received is None:
            return
        logging.info(
            "Stopped by %s after step %d; the same command goes on from %s.",
            signals.received.name,
            self._step,
            checkpointing.newest(self._settings.output_dir),
        )
        if signals.received == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + signals.received)

    def _run(self, iterator: Iterator[Batch], signals: "_Signals") -> None:
        settings = self._settings
        with (
            self._make_writer().as_default(),
            Progress(
                settings.num_train_steps,
                "step",
                start=self._step,
                log_seconds=60.0,
            ) as progress,
        ):
            first = self._step
            done = self._step >= settings.num_train_steps
            while not done:
                if not self._train(next(iterator)):
                    continue
                progress.update(1)
                if self._step == first + 1:
                    progress.start_clock()  # the first step compiles
                done = self._step == settings.num_train_steps
                if self._step % settings.log_steps == 0 or done:
                    self._log(progress)
                if self._monitor and self._monitor.is_due(self._step, done):
                    done = self._evaluate() or done
                done = done or signals.received is not None
                if self._step % settings.save_checkpoints_steps == 0 or done:
                    self._save()

    def _make_writer(self) -> tf.summary.SummaryWriter:
        if not strategy.is_chief():
            return tf.summary.create_noop_writer()
        return tf.summary.create_file_writer(self._settings.output_dir)

    def _train(self, batch: Batch) -> bool:
        """Takes a step; returns whether it counts."""
        figures = self._train_step(batch)
        self._state = dataclasses.replace(
            self._state,
            examples_seen=self._state.examples_seen
            + self._settings.train_batch_size,
        )
        if (
            self._loss_scale
            and not np.isfinite(
                [figures["loss"], figures["gradient_norm"]]
            ).all()
        ):
            self._skip(figures)
            return False
        self._interval.add(figures)
        self._step += 1
        return True

    def _skip(self, figures: Mapping[str, tf.Tensor]) -> None:
        """Counts a step under float16 that changed nothing."""
        scale = float(self._loss_scale.scale.numpy())
        logging.info(
            "Skipped a step after step %d: its gradient is not finite in "
            "float16. Loss scale: %g; skipped steps so far: %d.",
            self._step,
            scale,
            self._optimizer.skipped_steps.numpy(),
        )
        if scale <= 1.0:
            self._interval.add(figures)
            self._step += 1
            self._check_finite()

    def _evaluate(self) -> bool:
        """Evaluates; returns whether training is to end here."""
        begun = time.perf_counter()
        self._check_finite()
        ends = False
        if strategy.is_chief():
            self._state = self._monitor.evaluate(self._step, self._state)
            ends = self._monitor.is_exhausted(self._state)
        ends = bool(strategy.same_everywhere(int(ends)))
        self._interval.leave_out(time.perf_counter() - begun)
        return ends

    def _log(self, progress: Progress) -> None:
        """Writes the means since the last call to the log and event file."""
        self._check_finite()
        means, steps_per_second = self._interval.finish(self._step)
        rate = float(self._optimizer.schedule(self._step - 1))
        scalars = {
            **means,
            "learning_rate": rate,
            "global_step/sec": steps_per_second,
            "examples/sec": steps_per_second * self._settings.train_batch_size,
        }
        for name, value in scalars.items():
            tf.summary.scalar(name, value, step=self._step)
        tf.summary.flush()
        # The figures shown beside a live line are those of the last interval.
        position = progress.line(figures=False)
        logging.info("%s; %s", position, _format(scalars))
        progress.update(0, loss=means["loss"])

    def _save(self) -> None:
        self._check_finite()
        if not strategy.is_chief():
            return
        for name, tensor in self._tensors.items():
            if not np.isfinite(tf.reduce_sum(tensor).numpy()):
                raise UserError(
                    f"{name} is not finite after step {self._step}; it was not "
                    f"saved. {self._advice()}"
                )
        if self._loss_scale:
            self._state = dataclasses.replace(
                self._state,
                loss_scale=float(self._loss_scale.scale.numpy()),
                good_steps=int(self._loss_scale.good_steps.numpy()),
                skipped_steps=int(self._optimizer.skipped_steps.numpy()),
            )
        saved = checkpointing.save(
            self._settings.output_dir, self._step, self._tensors, self._state
        )
        logging.info("Saved %s", saved)

    def _check_finite(self) -> None:
        """Raises UserError where a step since the last log line was not."""
        bad = self._interval.first_not_finite()
        if bad is not None:
            raise self._not_finite(
                self._step - self._interval.count + bad.index + 1,
                _format(bad.figures),
            )

    def _not_finite(self, step: int, figures: str) -> UserError:
        return UserError(
            f"The loss or the gradient is not finite in step {step} "
            f"({figures}), at learning rate "
            f"{float(self._optimizer.schedule(step - 1)):.3g}; training "
            f"stopped, and the step changed nothing. {self._advice()}"
        )

    def _advice(self) -> str:
        newest = checkpointing.newest(self._settings.output_dir)
        return (
            f"The last good checkpoint is {newest}. Lower --learning_rate or "
            "lengthen the warm-up."
        )


class _BadStep(NamedTuple):
    """The first step of an interval whose figures are not finite."""

    index: int
    figures: dict[str, float]


class _Signals:
    """Notes Ctrl-C and SIGTERM, so that the step under way ends and is saved.

    A second Ctrl-C stops at once, without saving.

    Attributes:
        received: the signal, once one has come.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __enter__(self) -> "_Signals":
        self._before = {
            number: signal.signal(number, self._note)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: object) -> None:
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


class _Interval:
    """Means of a step's figures, and the pace, since the last log line."""

    def __init__(self, step: int):
        self._restart(step)

    @property
    def count(self) -> int:
        """How many steps there were."""
        return len(self._figures)

    def add(self, figures: Mapping[str, tf.Tensor]) -> None:
        # They stay on the device: reading one would wait for the step.
        self._figures.append(figures)

    def leave_out(self, seconds: float) -> None:
        """Does not count a time in which nothing was trained."""
        self._start += seconds

    def means(self) -> dict[str, float]:
        names = self._figures[0] if self._figures else ()
        return {
            name: float(np.mean([f[name].numpy() for f in self._figures]))
            for name in names
        }

    def first_not_finite(self) -> _BadStep | None:
        """Returns the first step whose figures are not all finite."""
        if np.isfinite(list(self.means().values())).all():
            return None
        for index, figures in enumerate(self._figures):
            values = {k: float(v.numpy()) for k, v in figures.items()}
            if not np.isfinite(list(values.values())).all():
                return _BadStep(index, values)
        return None

    def finish(self, step: int) -> tuple[dict[str, float], float]:
        """Returns the means and the steps per second, and starts anew."""
        means = self.means()
        seconds = time.perf_counter() - self._start
        pace = (step - self._first_step) / max(seconds, 1e-9)
        self._restart(step)
        return means, pace

    def _restart(self, step: int) -> None:
        self._figures: list[Mapping[str, tf.Tensor]] = []
        self._first_step = step
        self._start = time.perf_counter()


class Forward:
    """A model's way without training: the road of evaluation and prediction.

    Compiled once; every call runs it with the weights of the moment.

    Args:
        model: a task model, or any function of a batch and `training`.
        select: what to bring to the host, from a model's outputs and its
            batch; tensors of one entry a row.
    """

    def __init__(
        self,
        model: Callable[..., dict],
        select: Callable[[dict, Batch], dict[str, tf.Tensor]],
    ):
        def replica_step(batch: Batch) -> dict[str, tf.Tensor]:
            return select(model(batch, training=False), batch)

        def step(batch: Batch) -> dict[str, tf.Tensor]:
            if strategy.has_workers():
                # Of several workers the chief does it, alone.
                return replica_step(batch)
            return tf.distribute.get_strategy().run(replica_step, (batch,))

        self._python_step = step
        self._step: Callable[[Batch], dict[str, tf.Tensor]] | None = None

    def __call__(self, batches: Batches) -> Iterator[dict[str, np.ndarray]]:
        """Yields for every batch what `select` gave, in the batch's order.

        Args:
            batches: finite, or as many as the caller takes; all calls' alike.

        Raises:
            UserError: a batch cannot be read.
        """
        devices = tf.distribute.get_strategy()
        if devices.num_replicas_in_sync > 1 and not strategy.has_workers():
            dataset = devices.experimental_distribute_dataset(batches.dataset)
            batches = batches._replace(dataset=dataset)
        if self._step is None:
            # Batches come in many widths: one graph for all of them.
            spec = getattr(batches.dataset, "element_spec", None)
            self._step = tf.function(
                self._python_step, input_signature=spec and [spec]
            )
        for batch in _read(batches):
            yield {
                name: np.concatenate(
                    [
                        v.numpy()
                        for v in devices.experimental_local_results(value)
                    ]
                )
                for name, value in self._step(batch).items()
            }


def _read(batches: Batches) -> Iterator[Batch]:
    """Yields the batches; explains why one cannot be read."""
    iterator = iter(batches.dataset)
    while True:
        try:
            batch = next(iterator, None)
        except batches.unreadable.errors as error:
            raise batches.unreadable.explain(error) from error
        if batch is None:
            return
        yield batch


def _format(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in figures.items())
