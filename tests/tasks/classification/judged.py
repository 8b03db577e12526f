"""Made-up dev sets with a model's outputs, for tests of reports."""

import numpy as np

from bert.tasks.classification import kinds, report
from bert.tasks.classification.processors import InputExample
from bert.tasks.classification.report import Judged
from bert.tasks.reports import Report, to_json


def judged(logits, label_ids, labels=(), texts=None, pairs=None) -> Judged:
    """Returns a dev set of rows 1, 2, …

    Args:
        logits: [n, L].
        label_ids: as in the records.
        labels: names.
        texts: of each row; None: `text 1`, …
        pairs: the second texts, if any.
    """
    logits = np.asarray(logits, np.float32)
    numbers = range(1, len(logits) + 1)
    texts = texts or [f"text {number}" for number in numbers]
    examples = [
        InputExample(str(number), text, pair)
        for number, text, pair in zip(
            numbers, texts, pairs or [None] * len(texts), strict=True
        )
    ]
    return Judged(
        examples,
        list(labels),
        logits,
        np.asarray(label_ids).reshape(len(logits), -1),
        np.arange(len(logits), dtype=np.float32),
        [2 + len(text.split()) for text in texts],
    )


def document(kind, *args, **more) -> tuple[Report, dict]:
    """Returns the report on a `judged` set, and what eval_report.json has."""
    made = report.make(kinds.find(kind), judged(*args, **more))
    return made, to_json({"title": "x", **made.figures, "curves": {}})
