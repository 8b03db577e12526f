"""test_results.tsv and predictions.jsonl: what is chosen for each question."""

import json
import os
from collections.abc import Sequence

import numpy as np
from absl import logging

from bert.files import atomic_files
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.requests import numbers_of


def write(
    output_dir: str,
    examples: Sequence[ChoiceExample],
    probabilities: np.ndarray,
) -> None:
    """Writes what is predicted for a file.

    test_results.tsv has a line a question, as run_classifier.py's: the
    probabilities of its choices, 0 where it has fewer than others.
    predictions.jsonl has an object a line: `id`, `choice`, the number of the
    best, and the `probabilities` of its own choices.

    Args:
        output_dir: gets both files.
        examples: the questions.
        probabilities: float32 [examples, choices].

    Raises:
        UserError: one is no number; then neither is written.
    """
    numbers = [numbers_of(row) for row in probabilities]
    lines = [
        json.dumps(
            {
                "id": example.guid,
                "choice": int(row.argmax()),
                "probabilities": own[: len(example.choices)],
            }
        )
        for example, row, own in zip(
            examples, probabilities, numbers, strict=True
        )
    ]
    for name, rows in (
        ("test_results.tsv", ["\t".join(map(str, r)) for r in probabilities]),
        ("predictions.jsonl", lines),
    ):
        path = os.path.join(output_dir, name)
        atomic_files.write_text(path, "".join(f"{row}\n" for row in rows))
        logging.info("Wrote %s", path)
