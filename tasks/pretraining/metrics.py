"""Metrics of pre-training over the batches of an evaluation."""

from collections.abc import Iterable, Mapping

import numpy as np


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
    masked = _WeightedMeans()
    sentences = _WeightedMeans()
    batch_losses = []
    for batch in batches:
        weights = batch["masked_lm_weights"]
        masked.add(
            weights,
            masked_lm_accuracy=batch["masked_lm_correct"],
            masked_lm_loss=batch["masked_lm_losses"],
        )
        sentences.add(
            np.ones_like(batch["next_sentence_losses"]),
            next_sentence_accuracy=batch["next_sentence_correct"],
            next_sentence_loss=batch["next_sentence_losses"],
        )
        batch_losses.append(
            np.sum(weights * batch["masked_lm_losses"])
            / (np.sum(weights) + 1e-5)
            + np.mean(batch["next_sentence_losses"])
        )
    results = {
        **masked.results(),
        **sentences.results(),
        "loss": float(np.mean(batch_losses)),
    }
    return {name: np.float32(value) for name, value in results.items()}


class _WeightedMeans:
    """Several means under the same weights, added up in float64."""

    def __init__(self) -> None:
        self._weight = 0.0
        self._sums: dict[str, float] = {}

    def add(self, weights: np.ndarray, **values: np.ndarray) -> None:
        weights = weights.astype(np.float64)
        self._weight += weights.sum()
        for name, array in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + weights @ array

    def results(self) -> dict[str, float]:
        """Returns the means; 0 where all weights are 0, as the original."""
        return {
            name: total / self._weight if self._weight else 0.0
            for name, total in self._sums.items()
        }
