"""predictions.json, nbest_predictions.json and null_odds.json."""

import json
import os
from collections.abc import Iterable
from typing import NamedTuple

from absl import logging

from bert.files import atomic_files
from bert.tasks.squad.answers import Answer


class Paths(NamedTuple):
    """Where to write.

    Attributes:
        predictions: an answer for each question.
        nbest: the best ones.
        null_odds: how sure it is that there is none; None: do not write it.
    """

    predictions: str
    nbest: str
    null_odds: str | None


def write_predictions(
    output_dir: str,
    answers: Iterable[tuple[str, Answer]],
    null_score_diff_threshold: float,
    with_ranges: bool = False,
) -> None:
    """Writes the answers to questions as the original does.

    Args:
        output_dir: gets predictions.json and nbest_predictions.json; and
            null_odds.json, if questions may have no answer.
        answers: by question id, in order.
        null_score_diff_threshold: see `Answer.prediction`.
        with_ranges: whether to say where in its paragraph each of the best
            stands.
    """
    found = list(answers)
    has_null = any(answer.null_odds is not None for _, answer in found)
    null_odds = os.path.join(output_dir, "null_odds.json")
    write_files(
        Paths(
            os.path.join(output_dir, "predictions.json"),
            os.path.join(output_dir, "nbest_predictions.json"),
            null_odds if has_null else None,
        ),
        found,
        null_score_diff_threshold,
        with_ranges,
    )


def write_files(
    paths: Paths,
    answers: Iterable[tuple[str, Answer]],
    null_score_diff_threshold: float,
    with_ranges: bool = False,
) -> None:
    """Writes the answers to files of any name; see `write_predictions`."""
    names = zip(("predictions", "nbest", "null odds"), paths, strict=True)
    for what, path in names:
        if path is not None:
            logging.info("Writing %s to: %s", what, path)
    predictions, nbest, null_odds = {}, {}, {}
    for qas_id, answer in answers:
        predictions[qas_id] = answer.prediction(null_score_diff_threshold)
        nbest[qas_id] = (
            answer.nbest_with_ranges()
            if with_ranges
            else [entry._asdict() for entry in answer.nbest]
        )
        if answer.null_odds is not None:
            null_odds[qas_id] = answer.null_odds
    for path, values in zip(
        paths, (predictions, nbest, null_odds), strict=True
    ):
        if path is not None:
            atomic_files.write_text(path, _to_json(values))


def _to_json(values: object) -> str:
    return json.dumps(values, indent=4) + "\n"
