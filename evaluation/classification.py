"""Metrics of classification and regression on collected predictions.

By scikit-learn and SciPy, imported when a metric needs them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bert.errors import UserError

_KIND_METRICS = {
    "classification": ("eval_accuracy",),
    "multi_label": ("eval_accuracy", "macro_f1", "micro_f1"),
    "regression": ("mean_squared_error", "pearson", "spearman"),
}


def metric_names(kind: str, names: Sequence[str] = ()) -> list[str]:
    """Returns the keys of what `metrics` returns.

    Raises:
        UserError: one of the names is none of `METRICS`, or they do not go
            with the kind.
    """
    unknown = [name for name in names if name not in METRICS]
    if unknown or (names and kind != "classification"):
        raise UserError(
            "metric_names of a task with one label for each text may be "
            f"{', '.join(METRICS)}; other kinds have their own figures. "
            f"Received: {', '.join(names)}, of kind {kind}."
        )
    return [*_KIND_METRICS[kind], *names]


def metrics(
    kind: str,
    logits: np.ndarray,
    label_ids: np.ndarray,
    names: Sequence[str] = (),
) -> dict[str, np.float32]:
    """Returns a task's figures.

    Args:
        kind: "classification", "multi_label" or "regression".
        logits: float [n, L]; in regression the values, [n, 1].
        label_ids: int [n] or [n, 1]; of multi_label 0 or 1, [n, L]; of
            regression float.
        names: of `METRICS`, for classification: what is wanted beside the
            accuracy.

    Returns:
        By name:
        classification: eval_accuracy; f1 (of label 1), macro_f1 (mean over
            labels that occur), matthews_correlation (R_k for more than two
            labels), each 0 where it is not defined.
        multi_label: eval_accuracy (all labels of a text right), micro_f1 and
            macro_f1; a label is predicted from a probability of 0.5 on.
        regression: mean_squared_error, pearson and spearman; these two are 0
            where one side is constant, nan where a value is not finite.
    """
    if kind == "regression":
        return _regression(logits.reshape(-1), label_ids.reshape(-1))
    if kind == "multi_label":
        return _multi_label(logits >= 0, label_ids.astype(bool))
    predicted, true = np.argmax(logits, axis=-1), label_ids.reshape(-1)
    figures = {"eval_accuracy": np.mean(predicted == true)}
    figures.update({n: METRICS[n](true, predicted) for n in names})
    return _float32(figures)


def mean(values: np.ndarray) -> np.float32:
    """Returns the mean of float [n], added up in float64."""
    return np.float32(np.mean(values, dtype=np.float64))


def stacked(rows: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Returns arrays [n, ...] for n rows of arrays [...] of the same names."""
    columns: dict[str, list[np.ndarray]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in columns.items()}


def joined(
    figures: Mapping[str, Mapping[str, np.float32]],
) -> dict[str, np.float32]:
    """Returns the figures of several dev sets as one dict.

    Args:
        figures: of each set, by its name; "" for the main one.

    Returns:
        Those of the main set; of another <set>_<key>, where keys lose their
        `eval_`, less the mean over batches.
    """
    found = dict(figures[""])
    for name, others in figures.items():
        for key, value in others.items() if name else ():
            if key != "loss":
                found[f"{name}_{key.removeprefix('eval_')}"] = value
    return found


def _matthews_correlation(true: np.ndarray, predicted: np.ndarray) -> float:
    from sklearn.metrics import matthews_corrcoef

    if np.unique([true, predicted]).size < 2:  # scikit-learn would warn
        return 0.0
    return matthews_corrcoef(true, predicted)


def _f1(true: np.ndarray, predicted: np.ndarray) -> float:
    from sklearn.metrics import f1_score

    return f1_score(true == 1, predicted == 1, zero_division=0)


def _macro_f1(true: np.ndarray, predicted: np.ndarray) -> float:
    from sklearn.metrics import f1_score

    return f1_score(true, predicted, average="macro", zero_division=0)


# What a task of one label for each text may name in its `metric_names`.
METRICS = {
    "matthews_correlation": _matthews_correlation,
    "f1": _f1,
    "macro_f1": _macro_f1,
}


def _multi_label(
    predicted: np.ndarray, true: np.ndarray
) -> dict[str, np.float32]:
    from sklearn.metrics import f1_score

    if true.shape[1] == 1:  # which scikit-learn takes for plain classes
        predicted, true = predicted[:, 0], true[:, 0]
        macro = micro = f1_score(true, predicted, zero_division=0)
        right = predicted == true
    else:
        macro, micro = (
            f1_score(true, predicted, average=average, zero_division=0)
            for average in ("macro", "micro")
        )
        right = (predicted == true).all(axis=1)
    return _float32(
        {
            "eval_accuracy": np.mean(right),
            "macro_f1": macro,
            "micro_f1": micro,
        }
    )


def _regression(values: np.ndarray, true: np.ndarray) -> dict[str, np.float32]:
    values, true = values.astype(np.float64), true.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.mean(np.square(values - true))
    return _float32(
        {
            "mean_squared_error": error,
            "pearson": _correlation("pearsonr", values, true),
            "spearman": _correlation("spearmanr", values, true),
        }
    )


def _correlation(name: str, values: np.ndarray, true: np.ndarray) -> float:
    if not np.isfinite(values).all() or not np.isfinite(true).all():
        return np.nan
    # SciPy warns of sides that are constant or nearly so, and of two rows.
    if len(values) < 2 or _is_constant(values) or _is_constant(true):
        return 0.0
    from scipy import stats

    return getattr(stats, name)(values, true).statistic


def _is_constant(values: np.ndarray) -> bool:
    spread = np.linalg.norm(values - np.mean(values))
    return spread <= 1e-13 * abs(np.mean(values))


def _float32(figures: Mapping[str, float]) -> dict[str, np.float32]:
    return {name: np.float32(value) for name, value in figures.items()}
