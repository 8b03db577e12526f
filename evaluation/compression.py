"""How much a model that was made smaller still says what it said before.

Letters of shapes: B batch, S sequence, L labels, n predictions in all.
"""

from collections.abc import Mapping

import numpy as np

from bert.tasks.classification import kinds

Arrays = Mapping[str, np.ndarray]

# The outputs that have a row for each token, [B, S, ...].
_OF_TOKENS = {
    "classification": (),
    "squad": ("start_logits", "end_logits"),
    "ner": ("probabilities", "logits"),
    "features": ("sequence_output",),
    "pretraining": ("top_k_ids", "top_k_probabilities"),
}

# What is measured. Tasks that are not here have no labels in their records;
# they are measured by the original model, whose own figure is then 1.
_OF_LABELS = {
    "classification": "eval_accuracy",
    "multi_label": "eval_accuracy",
    "regression": "pearson",
    "ner": "tag_accuracy",
}
_OF_ORIGINAL = {
    "squad": "same_span",
    "features": "mean_cosine",
    "pretraining": "same_word",
}


def measure(task: str, kind: str | None) -> str:
    """Returns the name of what `quality` returns.

    eval_accuracy and pearson: as in `evaluation.classification`; tag_accuracy:
    the share of the words whose label is right; same_span: of the rows whose
    likeliest answer in the second segment is that of the original model;
    same_word: of the tokens whose likeliest word is; mean_cosine: over the
    tokens' vectors, between both models.
    """
    return {**_OF_LABELS, **_OF_ORIGINAL}[kind or task]


def has_labels(task: str) -> bool:
    """Whether a task's answers are held against the records' `labels`."""
    return task not in _OF_ORIGINAL


def labels(task: str, batch: Arrays) -> np.ndarray:
    """Returns what the answers of a task with labels should be.

    Args:
        task: classification or ner.
        batch: `label_ids`; ner: `label_mask`, too, both [B, S].
    """
    if task == "ner":
        return batch["label_ids"][batch["label_mask"] == 1]
    return batch["label_ids"]


def answers(task: str, outputs: Arrays, batch: Arrays) -> np.ndarray:
    """Returns what a model says of a batch.

    Args:
        task: one of `model_folder.task_files.TASKS`.
        outputs: as an export of the task gives them.
        batch: `input_mask` [B, S]; squad: `segment_ids`, ner: `label_mask`,
            [B, S], too.

    Returns:
        classification: logits [B, L]; ner: those of words [n, L]; squad: the
        start and end [B, 2]; features: vectors [n, D]; pretraining: words [n].
    """
    is_token = batch["input_mask"] == 1
    if task == "classification":
        return outputs["logits"]
    if task == "ner":
        return outputs["logits"][batch["label_mask"] == 1]
    if task == "squad":
        return _spans(
            outputs["start_logits"],
            outputs["end_logits"],
            batch["segment_ids"] == 1,
        )
    if task == "features":
        return outputs["sequence_output"][is_token]
    return outputs["top_k_ids"][is_token][:, 0]


def _spans(
    starts: np.ndarray, ends: np.ndarray, may_answer: np.ndarray
) -> np.ndarray:
    """Returns the likeliest start and end of each row, int [B, 2].

    Args:
        starts: logits [B, S].
        ends: logits [B, S].
        may_answer: bool [B, S]. Without the first segment: many a model's
            likeliest span is [CLS], which says nothing.
    """
    length = starts.shape[1]
    may_span = may_answer[:, :, None] & may_answer[:, None, :]
    may_span &= np.triu(np.ones([length, length], bool))
    scores = np.where(may_span, starts[:, :, None] + ends[:, None, :], -np.inf)
    best = np.argmax(scores.reshape(len(scores), -1), axis=-1)
    return np.stack(np.divmod(best, length), axis=-1)


def quality(
    task: str, kind: str | None, found: np.ndarray, expected: np.ndarray
) -> float:
    """Returns how good a model's answers are, 1 at best.

    Args:
        task: one of `model_folder.task_files.TASKS`.
        kind: of classification; else None.
        found: `answers`, of all batches.
        expected: `labels` of all batches if it `has_labels`, else the
            original model's answers.
    """
    if has_labels(task):
        kind = kind or "classification"
        figures = kinds.find(kind).figures(found, expected)
        name = "pearson" if kind == "regression" else "eval_accuracy"
        return float(figures[name])
    if task == "features":
        products = np.sum(found * expected, axis=-1)
        lengths = np.linalg.norm(found, axis=-1)
        return float(
            np.mean(products / (lengths * np.linalg.norm(expected, axis=-1)))
        )
    same = (found == expected).reshape(len(found), -1)
    return float(np.mean(np.all(same, axis=-1)))


def difference(
    task: str, found: Arrays, expected: Arrays, batch: Arrays
) -> float:
    """Returns the largest difference of any output from the original model's.

    Args:
        task: one of `model_folder.task_files.TASKS`.
        found: the outputs of a batch.
        expected: those of the original model.
        batch: `input_mask` [B, S]; padding is left out.

    Returns:
        Relative to the largest number of that output, or to 1 if that is
        larger; nan where a number is not finite. Ids are left out.
    """
    largest = 0.0
    is_token = batch["input_mask"] == 1
    for name, own in found.items():
        other = expected[name]
        if own.dtype.kind != "f":
            continue
        if name in _OF_TOKENS[task]:
            own, other = own[is_token], other[is_token]
        if not np.all(np.isfinite(own)):
            return float("nan")
        scale = max(1.0, float(np.max(np.abs(other))))
        largest = max(largest, float(np.max(np.abs(own - other))) / scale)
    return largest
