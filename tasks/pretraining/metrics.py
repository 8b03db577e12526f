"""Metrics of pre-training over the batches of an evaluation."""

from collections.abc import Iterable, Mapping

import numpy as np


def metrics(
    batches: Iterable[Mapping[str, np.ndarray]],
) -> dict[str, np.float32]:
    """Returns the original's figures of an evaluation.

    Args:
        batches: for each batch `masked_lm_losses`, `masked_lm_weights`,
            `masked_lm_correct` (float [B * P]) and, of a model with that head,
            `next_sentence_losses`, `next_sentence_correct` (float [B]).

    Returns:
        masked_lm_accuracy and masked_lm_loss (means over all predictions,
        weighted), next_sentence_accuracy and next_sentence_loss (means over
        all rows; not of a model without that head), and loss: the plain mean
        of the batches' own losses, as float32.

    Source: metric_fn in run_pretraining.py of google-research/bert.
    """
    batches = list(batches)
    losses = []
    for batch in batches:
        weights = batch["masked_lm_weights"]
        loss = np.sum(weights * batch["masked_lm_losses"]) / (
            np.sum(weights) + 1e-5
        )
        if "next_sentence_losses" in batch:
            loss += np.mean(batch["next_sentence_losses"])
        losses.append(loss)

    def mean(name: str, weights: np.ndarray | None = None) -> float:
        values = _joined(batches, name)
        return _mean(
            values, np.ones_like(values) if weights is None else weights
        )

    weights = _joined(batches, "masked_lm_weights")
    results = {
        "masked_lm_accuracy": mean("masked_lm_correct", weights),
        "masked_lm_loss": mean("masked_lm_losses", weights),
    }
    if "next_sentence_losses" in batches[0]:
        results["next_sentence_accuracy"] = mean("next_sentence_correct")
        results["next_sentence_loss"] = mean("next_sentence_losses")
    results["loss"] = float(np.mean(losses))
    return {name: np.float32(value) for name, value in results.items()}


def _joined(
    batches: Iterable[Mapping[str, np.ndarray]], name: str
) -> np.ndarray:
    """Returns a figure of all batches, float64."""
    return np.concatenate([batch[name] for batch in batches], dtype="float64")


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the weighted mean; 0 where all weights are 0, as the original."""
    total = weights.sum()
    return weights @ values / total if total else 0.0
