"""Metrics of pre-training over the batches of an evaluation."""

from collections.abc import Iterable, Mapping

import numpy as np

# What the figures are made from, of each batch.
_NAMES = (
    *("masked_lm_losses", "masked_lm_weights", "masked_lm_correct"),
    *("next_sentence_losses", "next_sentence_correct"),
)


def metrics(
    batches: Iterable[Mapping[str, np.ndarray]],
) -> dict[str, np.float32]:
    """Returns the original's figures of an evaluation.

    Args:
        batches: for each batch `masked_lm_losses`, `masked_lm_weights`,
            `masked_lm_correct` (float [B * P]), `next_sentence_losses`,
            `next_sentence_correct` (float [B]).

    Returns:
        masked_lm_accuracy and masked_lm_loss (means over all predictions,
        weighted), next_sentence_accuracy and next_sentence_loss (means over
        all rows), and loss: the plain mean of the batches' own losses, as
        float32.

    Source: metric_fn in run_pretraining.py of google-research/bert.
    """
    batches = list(batches)
    losses = []
    for batch in batches:
        weights = batch["masked_lm_weights"]
        losses.append(
            np.sum(weights * batch["masked_lm_losses"])
            / (np.sum(weights) + 1e-5)
            + np.mean(batch["next_sentence_losses"])
        )
    found = {
        name: np.concatenate(
            [batch[name] for batch in batches], dtype="float64"
        )
        for name in _NAMES
    }
    weights = found["masked_lm_weights"]
    ones = np.ones_like(found["next_sentence_losses"])
    results = {
        "masked_lm_accuracy": _mean(found["masked_lm_correct"], weights),
        "masked_lm_loss": _mean(found["masked_lm_losses"], weights),
        "next_sentence_accuracy": _mean(found["next_sentence_correct"], ones),
        "next_sentence_loss": _mean(found["next_sentence_losses"], ones),
        "loss": float(np.mean(losses)),
    }
    return {name: np.float32(value) for name, value in results.items()}


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the weighted mean; 0 where all weights are 0, as the original."""
    total = weights.sum()
    return weights @ values / total if total else 0.0
