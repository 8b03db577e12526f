"""Requests of every task, and whether two answers are alike."""

import shutil
from pathlib import Path

import numpy as np

from bert.model_folder import formats
from bert.serving.predictor import Predictor
from tests.conversion import exports

_CONTEXT = "the boat is on the lake near the town . " * 6
REQUESTS = {
    "classification": ["it rained all day.", ("the boat", "the lake"), ""],
    "multi_label": ["the boat"],
    "regression": ["the boat", ("the boat", "the lake")],
    "features": ["the boat on the lake", ("a", "b")],
    "squad": [("where is the boat ?", _CONTEXT), ("who ?", "a b")],
    "ner": ["the boat of John in Rome", ["hello"], "a " * 90],
    "multiple_choice": [
        {"text": "the boat", "choices": ["is red", "is blue", "", "sinks"]}
    ],
}


def assert_same(
    golden: Path,
    folder: Path,
    name: str,
    form: str,
    tolerance: float,
    **changes,
) -> None:
    """Asserts that a compressed model answers as the export does.

    Args:
        golden: the goldens.
        folder: an empty one.
        name: of `REQUESTS`.
        form: of `formats.FORMATS`.
        tolerance: the largest difference of numbers.
        **changes: of the configuration.
    """
    export_dir = exports.write(golden, folder, name, **changes)
    small = folder / "small"
    shutil.copytree(f"{export_dir}/assets", small / "assets")
    path = small / formats.FORMATS[form].file
    formats.make(form, export_dir, str(path), exports.BATCHES)
    found = Predictor.load(str(small), runtime=form, batch_size=2)
    expected = Predictor.load(export_dir, batch_size=2)
    texts = REQUESTS[name]
    difference = _difference(found.predict(texts), expected.predict(texts))
    assert difference <= tolerance


def _difference(found, expected) -> float:
    """The largest of any number; all else must be the same."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        pairs = zip(found, expected, strict=True)
        return max((_difference(*pair) for pair in pairs), default=0.0)
    if isinstance(expected, float | np.ndarray):
        return float(np.max(np.abs(found - expected)))
    assert found == expected
    return 0.0
