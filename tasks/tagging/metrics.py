"""Metrics of token classification, on the labels of whole sentences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bert.tasks.classification.metrics import METRICS
from bert.tasks.tagging import schemes

Tags = Sequence[Sequence[str]]

_OF_ENTITIES = ("precision", "recall", "f1")


class Answers(NamedTuple):
    """What a model says of a file's words, in their order.

    Attributes:
        label_ids: the number of the label it chose, int [W].
        probabilities: that label's, float32 [W].
        losses: of the word's own label, float32 [W].
        words_of_rows: how many words each record is to label, int [rows].
    """

    label_ids: np.ndarray
    probabilities: np.ndarray
    losses: np.ndarray
    words_of_rows: np.ndarray


def collect(rows: Iterable[Mapping[str, np.ndarray]]) -> Answers:
    """Takes from each record what counts.

    Args:
        rows: of each record `label_mask`, 1 where an answer counts, and
            `label_ids`, `probabilities` and `losses`; all [S].
    """
    names = ("label_ids", "probabilities", "losses")
    kept = []
    for row in rows:
        counts = row["label_mask"] != 0
        kept.append([row[name][counts] for name in names])
    label_ids, probabilities, losses = map(
        np.concatenate, zip(*kept, strict=True)
    )
    words = np.array([len(own) for own, *_ in kept])
    return Answers(label_ids, probabilities, losses, words)


def losses(answers: Answers, batch_size: int) -> dict[str, np.float32]:
    """Returns eval_loss, the words' mean loss, and loss.

    The latter is the mean over batches of their loss, as the original has it:
    the batches are those of the file's order.

    Args:
        answers: of all words.
        batch_size: records of a batch; the last one may be shorter.
    """
    rows = np.cumsum(answers.words_of_rows)[batch_size - 1 :: batch_size]
    batches = np.split(answers.losses.astype(np.float64), rows)
    means = [batch.mean() for batch in batches if len(batch)]
    return {
        "eval_loss": np.float32(answers.losses.mean(dtype=np.float64)),
        "loss": np.float32(np.mean(means)),
    }


def metric_names(labels: Sequence[str]) -> list[str]:
    """Returns the names of the figures that `metrics` and `losses` give."""
    of_words = [] if schemes.is_usual(labels) else ["macro_f1"]
    of_entities = _OF_ENTITIES if schemes.read(labels) else []
    return ["eval_accuracy", "eval_loss", "loss", *of_words, *of_entities]


def metrics(
    gold: Tags, predicted: Tags, labels: Sequence[str]
) -> dict[str, np.float32]:
    """Returns the figures of a prediction.

    Args:
        gold: for each sentence its words' labels.
        predicted: the same, as predicted.
        labels: all labels there are; they decide what is counted.

    Returns:
        eval_accuracy, the share of words with the right label; where labels
        mark entities, precision, recall and f1 over whole entities, as
        conlleval and seqeval's default mode count them; where they do not
        mark them as is usual, macro_f1, the mean of the labels' F1
        (scikit-learn). 0 where one is undefined.
    """
    words = [
        pair
        for one, other in zip(gold, predicted, strict=True)
        for pair in zip(one, other, strict=True)
    ]
    accuracy = sum(one == other for one, other in words) / len(words)
    figures = {"eval_accuracy": accuracy}
    if not schemes.is_usual(labels):
        figures["macro_f1"] = METRICS["macro_f1"](*np.array(words).T)
    if tags := schemes.read(labels):
        figures.update(
            _entity_figures(_tagged(gold, tags), _tagged(predicted, tags))
        )
    return {name: np.float32(value) for name, value in figures.items()}


def _entity_figures(gold: Tags, predicted: Tags) -> dict[str, float]:
    # Here, as scikit-learn below: seconds that other scripts do without.
    from seqeval.metrics.sequence_labeling import (
        precision_recall_fscore_support,
    )

    precision, recall, f1, _ = precision_recall_fscore_support(
        gold, predicted, average="micro", zero_division=0
    )
    return dict(zip(_OF_ENTITIES, (precision, recall, f1), strict=True))


def report(gold: Tags, predicted: Tags, labels: Sequence[str]) -> str:
    """Returns seqeval's table of precision, recall and F1 for each type.

    Args:
        gold: see `metrics`.
        predicted: see `metrics`.
        labels: see `metrics`.

    Returns:
        Lines; "" where there is no entity at all, or labels mark none.
    """
    tags = schemes.read(labels)
    if not tags:
        return ""
    from seqeval.metrics import classification_report

    gold, predicted = _tagged(gold, tags), _tagged(predicted, tags)
    if all(label == "O" for tags in (*gold, *predicted) for label in tags):
        return ""
    return classification_report(gold, predicted, digits=4, zero_division=0)


def _tagged(sentences: Tags, tags: Mapping[str, str]) -> list[list[str]]:
    return [[tags[label] for label in labels] for labels in sentences]
