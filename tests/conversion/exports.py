"""Tiny exported models of every task, and what to call them with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bert.data.records import record_writer
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.model_folder.saved_model import SavedModel
from bert.serving import export
from tests.conversion import run_folder

VOCAB_SIZE = 391
# Tests that convert a model of each kind of outputs, by all activations.
some_tasks = pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("classification", {}),
        ("regression", {"hidden_act": "gelu_erf"}),
        ("squad", {"hidden_act": "relu"}),
        ("ner", {}),
        ("features", {}),
    ],
)


def write(golden: Path, folder: Path, name: str, **changes) -> str:
    """Exports a tiny model.

    Args:
        golden: the goldens.
        folder: an empty one; gets the run and its export.
        name: one of `run_folder.RUNS`, or features.
        **changes: of the configuration.

    Returns:
        The export's folder.
    """
    run = "pretraining" if name == "features" else name
    run_folder.write(golden, folder / "run", run, **changes)
    given = Given(task="features") if name == "features" else Given()
    source = model_files.find(str(folder / "run"), given)
    export.export(source, str(folder / "export"), top_k=3, raw_strings=False)
    return str(folder / "export")


def converted(
    golden: Path,
    folder: Path,
    name: str,
    convert: Callable[[str, str], object],
    **changes,
) -> tuple[str, str]:
    """Exports as `write` does and converts; returns export and conversion."""
    export_dir, path = write(golden, folder, name, **changes), folder / "model"
    convert(export_dir, str(path))
    return export_dir, str(path)


def batch(rows: int, length: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Ids with two segments; all rows but the first end in padding."""
    random = np.random.default_rng(seed)
    lengths = random.integers(min(3, length), length + 1, [rows, 1])
    lengths[0] = length
    positions = np.arange(length)
    mask = positions < lengths
    return {
        "input_ids": np.where(
            mask, random.integers(5, VOCAB_SIZE, [rows, length]), 0
        ).astype(np.int32),
        "input_mask": mask.astype(np.int32),
        "segment_ids": (mask & (positions >= lengths // 2)).astype(np.int32),
    }


# The first shape comes again last: runtimes keep what they planned for it.
BATCHES = [batch(3, 20), batch(1, 1), batch(2, 48, seed=1), batch(3, 20)]


def assert_same(model, export_dir: str, tolerance: float) -> None:
    """Asserts that a model gives what the SavedModel gives, for any shape."""
    original = SavedModel(export_dir)
    for inputs in BATCHES:
        expected, found = original.compute(inputs), model(inputs)
        assert set(found) == set(expected)
        is_token = inputs["input_mask"] == 1
        for name, value in expected.items():
            own = found[name]
            assert own.shape == value.shape
            assert own.dtype == value.dtype
            if value.shape[:2] == is_token.shape:
                own, value = own[is_token], value[is_token]
            np.testing.assert_allclose(own, value, rtol=0, atol=tolerance)


def assert_rounded(model, export_dir: str, tolerance: float) -> None:
    """Asserts that a classifier's probabilities are near, and not the same."""
    original = SavedModel(export_dir)
    for inputs in BATCHES:
        found = model(inputs)["probabilities"]
        expected = original.compute(inputs)["probabilities"]
        assert not np.array_equal(found, expected)  # it is rounded
        np.testing.assert_allclose(found, expected, atol=tolerance)


def write_records(path: Path, fields, rows) -> None:
    """Writes a record file of dicts."""
    record_writer.write(str(path), fields, rows)


def classifier_rows(count: int, length: int, labels: list) -> list[dict]:
    """Records of run_classifier.py, with these labels in turn."""
    inputs = batch(count, length)
    return [
        {
            **{name: values[i].tolist() for name, values in inputs.items()},
            "label_ids": np.atleast_1d(labels[i % len(labels)]).tolist(),
            "is_real_example": [1],
        }
        for i in range(count)
    ]
