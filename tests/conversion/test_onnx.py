"""ONNX models give what the SavedModel gives; needs onnxruntime and tf2onnx.

pip install -r requirements-onnx.txt.
"""

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
