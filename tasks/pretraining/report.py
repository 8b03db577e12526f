"""What there is to say of an evaluation of pre-training, for eval_report.json.

Letters of shapes: B batch, P predictions, V vocabulary.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from bert.evaluation import classes
from bert.evaluation.bands import in_bands
from bert.tasks.pretraining import report_page
from bert.tasks.reports import Report

# Where the bands of frequencies begin.
_FREQUENCIES = (1, 2, 5, 20, 100, 500, 2000)
_PARTS = 10
_CONFUSED = 30
# Of a line of dev_predictions.jsonl, where there is the second task.
_NEXT_SENTENCE = {
    "next_sentence_gold": "next_sentence_labels",
    "next_sentence_prediction": "next_sentence_predicted",
}

Arrays = Mapping[str, np.ndarray]


def make(
    batches: Iterable[Arrays],
    vocabulary: Mapping[int, str],
    next_sentence: str | None = "nsp",
) -> Report:
    """Returns the report on an evaluation.

    Args:
        batches: for each batch what `training.eval_figures` gives.
        vocabulary: the word pieces by their ids, as far as they are known.
        next_sentence: see `Config`.
    """
    batches = list(batches)
    found = {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }
    return Report(
        {**facts(found, vocabulary), **_next_sentence(found, next_sentence)},
        _rows(found, vocabulary),
        report_page.sections,
    )


def facts(found: Arrays, vocabulary: Mapping[int, str]) -> dict[str, Any]:
    """Returns what eval_report.json says of an evaluation.

    Args:
        found: of all batches together.
        vocabulary: see `make`.

    Returns:
        `predictions`, how many masked pieces there are, and how many of them
        are `right`; `perplexity`; `by_frequency`: accuracy and loss by how
        often a piece is among them; `by_part`: by where it stands in its
        sequence, in tenths; `confused`: which pieces were taken for which
        most often.
    """
    counted = found["masked_lm_weights"] > 0
    gold, predicted, right, losses = (
        found[f"masked_lm_{name}"][counted]
        for name in ("ids", "predicted", "correct", "losses")
    )
    frequency = np.bincount(gold)[gold] if len(gold) else gold

    def figures(rows: np.ndarray) -> dict[str, Any]:
        return {
            "predictions": len(rows),
            "accuracy": right[rows].mean(dtype=np.float64),
            "loss": losses[rows].mean(dtype=np.float64),
        }

    with np.errstate(over="ignore"):
        perplexity = (
            np.exp(losses.mean(dtype=np.float64)) if len(gold) else None
        )
    part = _part(found)[counted]
    return {
        "sequences": len(found["lengths"]),
        "predictions": len(gold),
        "right": int(right.sum()),
        "perplexity": perplexity,
        "by_frequency": [
            {
                "times": name,
                "pieces": len(np.unique(gold[rows])),
                **figures(rows),
            }
            for name, rows in in_bands(frequency, _FREQUENCIES)
        ],
        "by_part": [
            {"part": number, **figures(np.flatnonzero(part == number))}
            for number in np.unique(part).tolist()
        ],
        "confused": list(_confused(gold, predicted, vocabulary)),
    }


def _next_sentence(found: Arrays, objective: str | None) -> dict[str, Any]:
    """Returns what eval_report.json says of the second task, if there is one.

    Returns:
        `next_sentence`: its `confusion`, rows by what is right; and which
        `objective` it is, where it is not the original's.
    """
    if "next_sentence_labels" not in found:
        return {}
    confusion = classes.confusion(
        found["next_sentence_labels"], found["next_sentence_predicted"], 2
    )
    other = {} if objective == "nsp" else {"objective": objective}
    return {"next_sentence": {"confusion": confusion, **other}}


def _part(found: Arrays) -> np.ndarray:
    """Returns in which tenth of its sequence each prediction is, [B * P]."""
    lengths = found["lengths"].astype(np.int64)
    positions = found["masked_lm_positions"].reshape(len(lengths), -1)
    parts = positions * _PARTS // np.maximum(lengths, 1)[:, None]
    return np.minimum(parts, _PARTS - 1).reshape(-1)


def _confused(
    gold: np.ndarray, predicted: np.ndarray, vocabulary: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yields the pairs of pieces that are mixed up most often."""
    wrong = np.stack([gold, predicted], axis=1)[gold != predicted]
    pairs, counts = np.unique(wrong, axis=0, return_counts=True)
    for index in np.argsort(-counts, kind="stable")[:_CONFUSED].tolist():
        one, other = pairs[index].tolist()
        yield {
            "gold": _name(one, vocabulary),
            "predicted": _name(other, vocabulary),
            "count": counts[index],
            "share": counts[index] / (gold == one).sum(),
        }


def _rows(
    found: Arrays, vocabulary: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yields a line of dev_predictions.jsonl for each sequence."""
    names = ("weights", "positions", "ids", "predicted", "losses")
    number = len(found["lengths"])
    columns = [found[f"masked_lm_{name}"].reshape(number, -1) for name in names]
    for row, (weights, *own) in enumerate(zip(*columns, strict=True)):
        positions, gold, predicted, losses = (
            values[weights > 0] for values in own
        )
        yield {
            "sequence": row,
            "positions": positions,
            "gold": [_name(i, vocabulary) for i in gold.tolist()],
            "prediction": [_name(i, vocabulary) for i in predicted.tolist()],
            "losses": losses,
            **{
                name: found[source][row]
                for name, source in _NEXT_SENTENCE.items()
                if source in found
            },
        }


def _name(piece: int, vocabulary: Mapping[int, str]) -> str:
    return vocabulary.get(piece, f"[id {piece}]")
