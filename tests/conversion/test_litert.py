"""LiteRT models give what the SavedModel gives; needs ai-edge-litert.

pip install -r requirements-litert.txt.
"""

import os

import numpy as np
import pytest

from bert.conversion import litert
from bert.model_folder import formats
from bert.model_folder.saved_model import SavedModel
from tests.conversion import exports
from tests.modeling.backbones.encoders import every_type

pytest.importorskip("ai_edge_litert")


@exports.some_tasks
def test_float16_rounds_weights_and_no_more(golden, tmp_path, name, changes):
    folder, path = exports.converted(
        golden, tmp_path, name, litert.make_litert_float16, **changes
    )
    exports.assert_same(
        formats.open_model("litert_float16", path), folder, 2e-2
    )


@every_type
def test_every_encoder_can_be_converted(golden, tmp_path, encoder_type):
    folder, path = exports.converted(
        golden,
        tmp_path,
        "classification",
        litert.make_litert_float16,
        encoder_type=encoder_type,
    )
    exports.assert_same(
        formats.open_model("litert_float16", path), folder, 2e-2
    )


def test_words_of_the_masked_lm_are_the_same(golden, tmp_path):
    folder, path = exports.converted(
        golden, tmp_path, "pretraining", litert.make_litert_float16
    )
    inputs = exports.batch(2, 20)
    found = formats.open_model("litert_float16", path)(inputs)
    expected = SavedModel(folder).compute(inputs)
    for name in ("top_k_probabilities", "next_sentence_probabilities"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-2)
    same = found["top_k_ids"] == expected["top_k_ids"]
    assert same[:, :, 0].mean() > 0.95
    assert found["top_k_ids"].dtype == np.int32


def test_int8_is_smaller_and_nearly_as_good(golden, tmp_path):
    # Large enough for matrices to be rounded: LiteRT leaves small ones be.
    sizes = {"hidden_size": 96, "intermediate_size": 384}
    folder = exports.write(golden, tmp_path, "classification", **sizes)
    half, quarter = str(tmp_path / "half"), str(tmp_path / "quarter")
    litert.make_litert_float16(folder, half)
    litert.make_litert_int8(folder, quarter)
    assert os.path.getsize(quarter) < 0.65 * os.path.getsize(half)
    model = formats.open_model("litert_int8", quarter)
    exports.assert_rounded(model, folder, 0.15)
