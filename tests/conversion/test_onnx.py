"""ONNX models give what the SavedModel gives; needs onnxruntime and tf2onnx.

pip install -r requirements-onnx.txt.
"""

import logging
import os

import pytest

from bert.conversion import onnx as conversion
from bert.model_folder import formats
from tests.conversion import exports, run_folder
from tests.modeling.backbones.encoders import every_type

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")


@pytest.mark.parametrize("name", [*run_folder.RUNS, "features"])
def test_a_model_gives_the_same_for_any_shape(golden, tmp_path, name):
    activation = "gelu_erf" if name == "classification" else "gelu"
    folder, path = exports.converted(
        golden, tmp_path, name, conversion.make_onnx, hidden_act=activation
    )
    exports.assert_same(formats.open_model("onnx", path), folder, 1e-4)


@every_type
def test_every_encoder_can_be_converted(golden, tmp_path, encoder_type):
    folder, path = exports.converted(
        golden,
        tmp_path,
        "pretraining",
        conversion.make_onnx,
        encoder_type=encoder_type,
    )
    exports.assert_same(formats.open_model("onnx", path), folder, 1e-4)


def test_the_file_says_what_goes_in_and_comes_out(golden, tmp_path):
    _, path = exports.converted(golden, tmp_path, "squad", conversion.make_onnx)
    model = onnx.load(path)
    tensors = {
        tensor.name: (
            onnx.TensorProto.DataType.Name(tensor.type.tensor_type.elem_type),
            [d.dim_param for d in tensor.type.tensor_type.shape.dim],
        )
        for tensor in (*model.graph.input, *model.graph.output)
    }
    sizes = ["batch", "sequence"]
    assert tensors == {
        "input_ids": ("INT32", sizes),
        "input_mask": ("INT32", sizes),
        "segment_ids": ("INT32", sizes),
        "start_logits": ("FLOAT", sizes),
        "end_logits": ("FLOAT", sizes),
    }
    assert model.opset_import[0].version == 18
    # None of another library's, which onnxruntime alone would not know.
    assert {node.domain for node in model.graph.node} == {""}


def test_int8_is_smaller_and_nearly_as_good(golden, tmp_path, caplog):
    sizes = {"hidden_size": 96, "intermediate_size": 384}
    folder = exports.write(golden, tmp_path, "classification", **sizes)
    full, quarter = str(tmp_path / "full"), str(tmp_path / "quarter")
    conversion.make_onnx(folder, full)
    caplog.set_level(logging.INFO)
    caplog.clear()
    conversion.make_onnx_int8(folder, quarter)
    own = [r for r in caplog.records if r.name == "root"]
    assert not own
    assert os.path.getsize(quarter) < 0.5 * os.path.getsize(full)
    model = formats.open_model("onnx_int8", quarter)
    exports.assert_rounded(model, folder, 0.15)
