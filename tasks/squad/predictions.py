"""predictions.json, nbest_predictions.json and null_odds.json."""

import json
import os
from collections.abc import Iterable, Mapping

from absl import logging

from bert.files import atomic_files
from bert.tasks.squad.answers import Answer


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
    for what, name, values in (
        ("predictions", "predictions.json", predictions),
        ("nbest", "nbest_predictions.json", nbest),
        ("null odds", "null_odds.json", null_odds),
    ):
        if values:
            path = os.path.join(output_dir, name)
            logging.info("Writing %s to: %s", what, path)
            atomic_files.write_text(path, _to_json(values))


def _to_json(values: Mapping[str, object]) -> str:
    return json.dumps(values, indent=4) + "\n"
