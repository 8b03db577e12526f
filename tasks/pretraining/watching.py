"""What a run is evaluated on, and the figures that say how far it has come."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from bert.data.records.record_files import RecordSource
from bert.tasks.pretraining import metrics, records, unigrams
from bert.tasks.pretraining.config import Config
from bert.training import perplexity, strategy


class Watch(NamedTuple):
    """What is watched of a run.

    Attributes:
        source: the records to evaluate on.
        unigram_entropy: of the ids that are masked in training; None: no flag
            asks for figures that the original does not have.
    """

    source: RecordSource
    unigram_entropy: float | None

    def figures(
        self, batches: Iterable[Mapping[str, np.ndarray]]
    ) -> dict[str, Any]:
        """Returns the figures of an evaluation; see `metrics.metrics`.

        Where there is a unigram entropy, `perplexity` and `unigram_entropy`
        come after the original's.
        """
        figures = metrics.metrics(batches)
        if self.unigram_entropy is None:
            return figures
        entropy = np.float32(self.unigram_entropy)
        return {**perplexity.beside(figures), "unigram_entropy": entropy}


def begin(
    config: Config, source: RecordSource, evaluated: RecordSource
) -> Watch:
    """Returns what is watched of a run; call it in the strategy's scope.

    Args:
        config: the flags' values.
        source: the records of --input_file.
        evaluated: those that the run is evaluated on.

    Raises:
        UserError: a record is not what it must be.
    """
    # Of several workers the chief alone evaluates.
    if not (config.is_watched and config.evaluates and strategy.is_chief()):
        return Watch(evaluated, None)
    entropy = unigrams.entropy(records.for_evaluation(config, source))
    logging.info(
        "Unigram entropy of the masked ids: %.4g nats, perplexity %.4g. A "
        "masked_lm_loss that stays there has learned nothing from context.",
        entropy,
        math.exp(entropy),
    )
    return Watch(evaluated, entropy)
