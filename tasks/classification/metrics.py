"""Metrics of classification and regression on collected predictions.

By scikit-learn and SciPy, imported when a metric needs them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Figures = dict[str, np.float32]


def single_label(
    logits: np.ndarray, label_ids: np.ndarray, names: Sequence[str] = ()
) -> Figures:
    """Returns eval_accuracy, and what is asked for beside it.

    Args:
        logits: float [n, L].
        label_ids: int [n] or [n, 1].
        names: of `METRICS`.

    Returns:
        By name: eval_accuracy; f1 (of label 1), macro_f1 (mean over labels
        that occur), matthews_correlation (R_k for more than two labels), each
        0 where it is not defined.
    """
    predicted, true = np.argmax(logits, axis=-1), label_ids.reshape(-1)
    accuracy = float(np.mean(predicted == true))
    more = {name: METRICS[name](true, predicted) for name in names}
    return _float32({"eval_accuracy": accuracy, **more})


def multi_label(logits: np.ndarray, label_ids: np.ndarray) -> Figures:
    """Returns eval_accuracy, micro_f1 and macro_f1.

    A label is predicted from a probability of 0.5 on; the accuracy is the
    share of texts all of whose labels are right.

    Args:
        logits: float [n, L].
        label_ids: int [n, L], 0 or 1.
    """
    from sklearn.metrics import f1_score

    predicted, true = logits >= 0, label_ids.astype(bool)
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
            "eval_accuracy": float(np.mean(right)),
            "macro_f1": macro,
            "micro_f1": micro,
        }
    )


def regression(values: np.ndarray, labels: np.ndarray) -> Figures:
    """Returns mean_squared_error, pearson and spearman.

    The correlations are 0 where one side is constant, nan where a value is
    not finite.

    Args:
        values: float [n] or [n, 1].
        labels: likewise.
    """
    values = values.reshape(-1).astype(np.float64)
    true = labels.reshape(-1).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.mean(np.square(values - true))
    return _float32(
        {
            "mean_squared_error": float(error),
            "pearson": _correlation("pearsonr", values, true),
            "spearman": _correlation("spearmanr", values, true),
        }
    )


def joined(figures: Mapping[str, Mapping[str, np.float32]]) -> Figures:
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
METRICS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "matthews_correlation": _matthews_correlation,
    "f1": _f1,
    "macro_f1": _macro_f1,
}


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


def _float32(figures: Mapping[str, float]) -> Figures:
    return {name: np.float32(value) for name, value in figures.items()}


# The figures of each kind, by its name.
OF_KINDS: Mapping[str, Callable[..., Figures]] = {
    "classification": single_label,
    "multi_label": multi_label,
    "regression": regression,
}
