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

from errors import UserError
from modeling import checkpoint
from modeling.task_model import TaskModel
from training import checkpointing
from training.monitor import Monitor
from training.optimization import AdamWeightDecay
from training.progress import Progress
from training.steps import Batch, compile_train_step


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
        log_steps: steps between log lines and points in the event files.
    """

    output_dir: str
    num_train_steps: int
    train_batch_size: int
    save_checkpoints_steps: int
    log_steps: int = 100


def train(
    model: TaskModel,
    optimizer: AdamWeightDecay,
    batches: Batches,
    settings: TrainSettings,
    state: checkpointing.RunState,
    monitor: Monitor | None = None,
) -> None:
    """Trains from the optimizer's global_step to settings.num_train_steps.

    Saves a checkpoint at step 0, every save_checkpoints_steps and at the end.

    Args:
        model: a task model (`modeling.heads`), its variables created.
        optimizer: over the model's trainable variables.
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
    _TrainLoop(model, optimizer, batches, settings, state, monitor).run()


class _TrainLoop:
    """The state of one call of `train`."""

    def __init__(self, model, optimizer, batches, settings, state, monitor):
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
            state.seed,
            getattr(batches.dataset, "element_spec", None),
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
        writer = tf.summary.create_file_writer(settings.output_dir)
        with (
            writer.as_default(),
            Progress(
                settings.num_train_steps,
                "step",
                start=self._step,
                log_seconds=60.0,
            ) as progress,
        ):
            first = self._step
            last = self._step >= settings.num_train_steps
            while not last:
                self._train(next(iterator))
                progress.update(1)
                if self._step == first + 1:
                    progress.start_clock()  # the first step compiles
                last = self._step == settings.num_train_steps
                if self._step % settings.log_steps == 0 or last:
                    self._log(progress)
                if self._monitor and self._monitor.is_due(self._step, last):
                    last = self._evaluate() or last
                last = last or signals.received is not None
                if self._step % settings.save_checkpoints_steps == 0 or last:
                    self._save()

    def _train(self, batch: Batch) -> None:
        self._interval.add(self._train_step(batch))
        self._step += 1
        self._state = dataclasses.replace(
            self._state,
            examples_seen=self._state.examples_seen
            + self._settings.train_batch_size,
        )

    def _evaluate(self) -> bool:
        """Evaluates; returns whether training is to end here."""
        begun = time.perf_counter()
        self._check_finite(self._interval.means())
        self._state = self._monitor.evaluate(self._step, self._state)
        self._interval.leave_out(time.perf_counter() - begun)
        return self._monitor.is_exhausted(self._state)

    def _log(self, progress: Progress) -> None:
        """Writes the means since the last call to the log and event file."""
        means, steps_per_second = self._interval.finish(self._step)
        self._check_finite(means)
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
        self._check_finite(self._interval.means())
        if not all(
            np.isfinite(tf.reduce_sum(tensor).numpy())
            for tensor in self._tensors.values()
        ):
            self._check_finite({"sum of a weight": np.nan})
        saved = checkpointing.save(
            self._settings.output_dir, self._step, self._tensors, self._state
        )
        logging.info("Saved %s", saved)

    def _check_finite(self, means: Mapping[str, float]) -> None:
        if all(np.isfinite(value) for value in means.values()):
            return
        raise UserError(
            f"The loss or the gradient is not finite ({_format(means)}) in "
            f"the steps up to {self._step}, at learning rate "
            f"{float(self._optimizer.schedule(self._step - 1)):.3g}; training "
            "stopped. The last good checkpoint is "
            f"{checkpointing.newest(self._settings.output_dir)}. Lower "
            "--learning_rate or lengthen the warm-up."
        )


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

    def add(self, figures: Mapping[str, tf.Tensor]) -> None:
        # Sums stay on the device: reading one would wait for the step.
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1

    def leave_out(self, seconds: float) -> None:
        """Does not count a time in which nothing was trained."""
        self._start += seconds

    def means(self) -> dict[str, float]:
        return {
            name: float(total) / self._count
            for name, total in self._sums.items()
        }

    def finish(self, step: int) -> tuple[dict[str, float], float]:
        """Returns the means and the steps per second, and starts anew."""
        means = self.means()
        seconds = time.perf_counter() - self._start
        pace = (step - self._first_step) / max(seconds, 1e-9)
        self._restart(step)
        return means, pace

    def _restart(self, step: int) -> None:
        self._sums: dict[str, tf.Tensor | float] = {}
        self._count = 0
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
        strategy = tf.distribute.get_strategy()
        if strategy.num_replicas_in_sync > 1:
            dataset = strategy.experimental_distribute_dataset(batches.dataset)
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
                        for v in strategy.experimental_local_results(value)
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
