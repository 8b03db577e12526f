"""Evaluation while training, the best weights, early stopping.

The best weights so far are in `output_dir/best/`, a checkpoint of weights and
global_step that no later one rotates out. The best value so far is part of the
state in each checkpoint, so that a resumed run decides as an uninterrupted one.
"""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.files import task_paths
from bert.tasks.spec import less_is_better
from bert.training import checkpointing, results
from bert.training.interval import all_finite


class Monitor:
    """Evaluates while training.

    Args:
        config: when to evaluate (eval_steps), which metric's best weights to
            keep (save_best; more is better, but less of a loss or error; at
            the same value the lower loss, then the earlier step), and after
            how many evaluations without a better value of it training ends
            (early_stopping_patience; None: it goes on).
        evaluate: returns the metrics with the present weights.
        weights: what a checkpoint of the best weights holds, by name.
    """

    def __init__(
        self,
        config: TrainingConfig,
        evaluate: Callable[[], Mapping[str, float]],
        weights: Mapping[str, tf.Variable],
    ):
        self._config = config
        self._evaluate = evaluate
        self._weights = weights

    def is_due(self, step: int, last: bool) -> bool:
        """Returns whether to evaluate after a step; always after the last."""
        eval_steps = self._config.eval_steps
        return last or (eval_steps is not None and step % eval_steps == 0)

    def evaluate(
        self, step: int, state: checkpointing.RunState
    ) -> checkpointing.RunState:
        """Evaluates, keeps the weights if they are the best.

        Returns:
            The state, with the best value, and the step that is kept.
        """
        figures = self._evaluate()
        logging.info(
            "Evaluation at step %d: %s",
            step,
            ", ".join(f"{k} = {figures[k]:.6g}" for k in sorted(figures)),
            extra={"fields": {"global_step": step, **figures}},
        )
        output_dir = self._config.output_dir
        results.write_events(output_dir, figures, step)
        metric = self._config.save_best
        if metric is None:
            return state
        if state.best_metric not in (None, metric):
            state = _with_best(state, None, None, None, None)
        value, loss = float(figures[metric]), _loss(figures)
        waited = state.evaluations_without_best + 1
        # A model that diverged may still have a good accuracy.
        is_sound = all_finite(figures)
        is_better = is_sound and _is_better(metric, value, state.best_value)
        if is_better or (is_sound and _wins_tie(value, loss, state)):
            state = _with_best(state, metric, value, loss, step)
        if not is_better:
            # Training may end at a tie, too.
            state = dataclasses.replace(state, evaluations_without_best=waited)
        if state.best_step != step:
            return state
        folder = task_paths.best_folder(output_dir)
        tf.io.gfile.makedirs(folder)
        saved = checkpointing.save(folder, step, self._weights, state, keep=1)
        logging.info("Best %s so far, %g: saved %s", metric, value, saved)
        return state

    def is_exhausted(self, state: checkpointing.RunState) -> bool:
        """Returns whether training is to end, and logs it."""
        patience = self._config.early_stopping_patience
        if patience is None or state.evaluations_without_best < patience:
            return False
        logging.info(
            "Training stopped early: %d evaluations without a better %s than "
            "%s, at step %s.",
            state.evaluations_without_best,
            self._config.save_best,
            state.best_value,
            state.best_step,
        )
        return True


def _with_best(
    state: checkpointing.RunState,
    metric: str | None,
    value: float | None,
    loss: float | None,
    step: int | None,
) -> checkpointing.RunState:
    return dataclasses.replace(
        state,
        best_metric=metric,
        best_value=value,
        best_loss=loss,
        best_step=step,
        evaluations_without_best=0,
    )


def _is_better(metric: str, value: float, best: float | None) -> bool:
    if best is None:
        return True
    return value < best if less_is_better(metric) else value > best


def _loss(figures: Mapping[str, float]) -> float | None:
    """Returns the loss of an evaluation; None where it has none (SQuAD)."""
    name = "eval_loss" if "eval_loss" in figures else "loss"
    return float(figures[name]) if name in figures else None


def _wins_tie(
    value: float, loss: float | None, state: checkpointing.RunState
) -> bool:
    """Whether a figure is as good as the best one, and the loss is lower."""
    return (
        value == state.best_value
        and loss is not None
        and state.best_loss is not None
        and loss < state.best_loss
    )
