"""Train, evaluate, predict: one loop under any tf.distribute strategy."""

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.cli.progress import Progress
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.multitask_model import MultitaskModel
from bert.modeling.task_model import TaskModel
from bert.training import checkpointing, moments, perplexity, strategy
from bert.training.batches import Batches
from bert.training.interval import Interval, all_finite
from bert.training.loss_scale import LossScale
from bert.training.monitor import Monitor
from bert.training.optimization import AdamWeightDecay
from bert.training.signals import Signals
from bert.training.step_calls import StepCalls
from bert.training.steps import StepSettings, compile_train_step

_details = logging.get_absl_logger().getChild("details")

# Several steps go into a call where that saves more than it takes to compile:
# about 1.5 ms a step, little beside the step of a larger model.
_MANY_STEPS = 1000
_FEW_WEIGHTS = 16 * 2**20


class Trained(NamedTuple):
    """The variables that training changes.

    Attributes:
        model: a task model (`modeling.heads`), its variables created.
        optimizer: over the model's trainable variables.
        loss_scale: under float16.
        compile: makes the step; see `compile_train_step`.
    """

    model: TaskModel | MultitaskModel
    optimizer: AdamWeightDecay
    loss_scale: LossScale | None = None
    compile: Callable[..., Callable[[Any], dict[str, tf.Tensor]]] = (
        compile_train_step
    )

    def tensors(self) -> dict[str, keras.Variable | tf.Variable]:
        """Returns weights, moments and global_step by checkpoint name."""
        return {
            **checkpoint.named_variables(self.model),
            **self.optimizer.state(),
        }


class TrainLoop:
    """Trains from the optimizer's global_step to num_train_steps.

    `run` saves a checkpoint at step 0, every save_checkpoints_steps and at
    the end. Ctrl-C, SIGTERM and SIGHUP end it after the call under way
    (`StepCalls`), with a checkpoint: by a KeyboardInterrupt, or exit code 143
    or 129.

    Args:
        trained: the model and its optimizer.
        batches: endless; distributed by the strategy in scope.
        config: the flags of training; output_dir exists.
        num_train_steps: the step to stop at.
        state: seed, examples seen and the best value so far.
        monitor: evaluates in between, and may end the training; None:
            nothing does.
    """

    def __init__(
        self,
        trained: Trained,
        batches: Batches,
        config: TrainingConfig,
        num_train_steps: int,
        state: checkpointing.RunState,
        monitor: Monitor | None = None,
    ):
        optimizer, self._loss_scale = trained.optimizer, trained.loss_scale
        self._config = config
        self._num_train_steps = num_train_steps
        self._optimizer = optimizer
        self._batches = batches
        self._monitor = monitor
        self._state = state
        self._tensors = trained.tensors()
        self._train_step = trained.compile(
            trained.model,
            optimizer,
            StepSettings(
                seed=state.seed,
                gradient_accumulation_steps=config.gradient_accumulation_steps,
                use_xla=config.use_xla,
                max_grad_norm=config.max_grad_norm,
                num_train_steps=num_train_steps,
            ),
            getattr(batches.dataset, "element_spec", None),
            self._loss_scale,
        )
        self._step = int(optimizer.global_step.numpy())
        self._interval = Interval(self._step)
        self._last_loss: tf.Tensor | None = None

    def run(self) -> None:
        """Trains.

        Raises:
            UserError: a batch cannot be read, or the loss is not finite; the
                checkpoints are those of steps before that.
        """
        if self._step == 0 and not checkpointing.newest(
            self._config.output_dir
        ):
            self._save()
        with Signals() as signals:
            self._run(self._calls(), signals)
        if self._last_loss is not None:
            loss = self._last_loss.numpy()[-1]
            saved = checkpointing.newest(self._config.output_dir)
            logging.info(
                "Loss for final step: %s.",
                loss,
                extra={
                    "short": f"Loss for final step: {loss!s}; saved {saved}"
                },
            )
        if signals.received is None:
            return
        logging.info(
            "Stopped by %s after step %d; the same command goes on from %s.",
            signals.received.name,
            self._step,
            checkpointing.newest(self._config.output_dir),
        )
        if signals.received == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + signals.received)

    def _calls(self) -> StepCalls:
        weights = self._optimizer.variables.values()
        several = (
            self._num_train_steps - self._step >= _MANY_STEPS
            and sum(w.shape.num_elements() for w in weights) <= _FEW_WEIGHTS
        )
        return StepCalls(self._train_step, self._batches, several)

    def _run(self, calls: StepCalls, signals: Signals) -> None:
        last = self._num_train_steps
        save_steps = self._config.save_checkpoints_steps
        with (
            self._make_writer().as_default(),
            Progress(
                last, "step", start=self._step, log_seconds=60.0, compiles=True
            ) as progress,
        ):
            first = self._step
            done = self._step >= last
            while not done:
                before = self._step
                # The first one compiles, which is no part of the pace.
                most = self._until_due() if before > first else 1
                if not self._train(calls.take(most)):
                    if done := signals.received is not None:
                        self._save()
                    continue
                progress.update(self._step - before)
                if before == first:
                    self._interval.start_clock(self._step)
                done = self._step == last
                if self._step % self._config.log_steps == 0 or done:
                    self._log(progress)
                if self._monitor and self._monitor.is_due(self._step, done):
                    done = self._evaluate(self._monitor) or done
                done = done or signals.received is not None
                if done or self._step % save_steps == 0:
                    self._save()

    def _make_writer(self) -> tf.summary.SummaryWriter:
        if not strategy.is_chief():
            return tf.summary.create_noop_writer()
        return tf.summary.create_file_writer(self._config.output_dir)

    def _until_due(self) -> int:
        """Returns how many steps may be taken before anything else is due."""
        if self._loss_scale:
            return 1  # a step that is skipped is logged at once
        config = self._config
        every = (
            config.log_steps,
            config.save_checkpoints_steps,
            config.eval_steps or self._num_train_steps,
        )
        return min(
            self._num_train_steps - self._step,
            *(steps - self._step % steps for steps in every),
        )

    def _train(self, figures: Mapping[str, tf.Tensor]) -> bool:
        """Counts the steps that a call took; returns whether they count."""
        count = len(figures["loss"])
        self._state = dataclasses.replace(
            self._state,
            examples_seen=self._state.examples_seen
            + count * self._config.train_batch_size,
        )
        if self._loss_scale and not all_finite(figures):
            self._skip(figures, float(self._loss_scale.scale.numpy()))
            return False
        self._interval.add(figures)
        self._last_loss = figures["loss"]
        self._step += count
        return True

    def _skip(self, figures: Mapping[str, tf.Tensor], scale: float) -> None:
        """Counts a step under float16 that changed nothing."""
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

    def _evaluate(self, monitor: Monitor) -> bool:
        """Evaluates; returns whether training is to end here."""
        begun = time.perf_counter()
        self._check_finite()
        ends = False
        if strategy.is_chief():
            self._state = monitor.evaluate(self._step, self._state)
            ends = monitor.is_exhausted(self._state)
        ends = bool(strategy.broadcast_from_chief(int(ends)))
        self._interval.leave_out(time.perf_counter() - begun)
        return ends

    def _log(self, progress: Progress) -> None:
        """Writes the means since the last call to the log and event file."""
        self._check_finite()
        means, steps_per_second = self._interval.finish(self._step)
        means = perplexity.beside(means) if self._monitor else means
        rate = float(self._optimizer.schedule(self._step - 1))
        paces = {}
        if steps_per_second is not None:
            progress.set_rate(steps_per_second)
            paces = {
                "global_step/sec": steps_per_second,
                "examples/sec": steps_per_second
                * self._config.train_batch_size,
            }
        scalars = {**means, "learning_rate": rate, **paces}
        for name, value in scalars.items():
            tf.summary.scalar(name, value, step=self._step)
        tf.summary.flush()
        shown = ", ".join(
            f"{name} = {means[name]:.4g}"
            for name in ("loss", "perplexity")
            if name in means
        )
        # The figures shown beside a live line are those of the last interval.
        position = progress.line(figures=False)
        logging.info(
            "%s; %s",
            position,
            _format(scalars),
            extra={
                "short": f"{position}; {shown}",
                "fields": {**progress.fields(), **scalars},
            },
        )
        for name, value in paces.items():
            _details.info("%s: %g", name, value)  # as TensorFlow's hooks
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
        _details.info(
            "Saving checkpoints for %d into %s.",
            self._step,
            os.path.join(self._config.output_dir, "model.ckpt"),
        )
        mode = self._config.save_optimizer
        weights = moments.without(self._tensors)
        saved = checkpointing.save(
            self._config.output_dir,
            self._step,
            weights if mode == "none" else self._tensors,
            self._state,
            self._config.keep_checkpoint_max,
        )
        _details.info("Saved %s", saved)
        if mode == "last":
            moments.drop_from_older(self._config.output_dir, weights)

    def _check_finite(self) -> None:
        """Raises UserError where a step since the last log line was not."""
        bad = self._interval.first_not_finite()
        if bad is None:
            return
        rate = float(self._optimizer.schedule(bad.step - 1))
        raise UserError(
            f"The loss or the gradient is not finite in step {bad.step} "
            f"({_format(bad.figures)}), at learning rate {rate:.3g}; training "
            f"stopped, and the step changed nothing. {self._advice()}"
        )

    def _advice(self) -> str:
        newest = checkpointing.newest(self._config.output_dir)
        kept = f"The last good checkpoint is {newest}. " if newest else ""
        return f"{kept}Lower --learning_rate or lengthen the warm-up."


def _format(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in figures.items())
