"""SavedModels as ONNX models, for onnxruntime and what else reads ONNX."""

import logging
from typing import TYPE_CHECKING

import tensorflow as tf

from bert.model_folder.saved_model import SIGNATURE

if TYPE_CHECKING:
    from onnx import ModelProto

# The newest one that tf2onnx writes.
OPSET = 18

# Of tf2onnx' own, those that find something here. remove_back_to_back must not
# be one of them: it joins the shapes of reshape_optimizer, which say "as in the
# input" (0), with another input, and the model fails when it runs.
_OPTIMIZERS = {
    "optimize_transpose": "TransposeOptimizer",
    "fold_constants": "ConstFoldOptimizer",
    "merge_duplication": "MergeDuplicatedNodesOptimizer",
    "reshape_optimizer": "ReshapeOptimizer",
    "remove_identity": "IdentityOptimizer",
}


def make_onnx(saved_model_dir: str, path: str) -> None:
    """Writes an ONNX model in float32.

    Args:
        saved_model_dir: a SavedModel with the signature `SIGNATURE`.
        path: the file to write.
    """
    import onnx

    onnx.save(_checked(saved_model_dir), path)


def make_onnx_int8(saved_model_dir: str, path: str) -> None:
    """Writes an ONNX model whose matrices and tables of words are int8.

    Dynamic range: what comes into a matrix product is rounded as it comes, and
    a matrix by its columns. With ranges that are fixed beforehand, by rows to
    calibrate with, MiniLM's vectors had a mean cosine of 0.880 to the right
    ones, and so of 0.991.

    Args:
        saved_model_dir: a SavedModel with the signature `SIGNATURE`.
        path: the file to write.
    """
    from onnxruntime import quantization

    model = _checked(saved_model_dir)
    # It logs each node, and that the model should be made smaller first.
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        quantization.quantize_dynamic(
            model,
            path,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},  # not in attention
        )
    finally:
        logging.disable(before)


def _checked(saved_model_dir: str) -> "ModelProto":
    """Returns the model in float32."""
    import onnx

    model = _convert(saved_model_dir)
    _name_dimensions(model)
    onnx.checker.check_model(model)
    return model


def _convert(saved_model_dir: str) -> "ModelProto":
    from tf2onnx import optimizer, tf_loader, tfonnx

    # They count nodes, at INFO.
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    # Whoever holds the function must hold what it belongs to.
    saved = tf.saved_model.load(saved_model_dir)
    serve = saved.signatures[SIGNATURE]
    inputs = [x.name for x in serve.inputs if x.dtype != tf.resource]
    outputs = [x.name for x in serve.outputs]
    names = {name: name.removesuffix(":0") for name in inputs}
    # A function's outputs are sorted by their names.
    names.update(zip(outputs, sorted(serve.structured_outputs), strict=True))
    frozen = tf_loader.from_function(serve, inputs, outputs)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen, name="")
        converted = tfonnx.process_tf_graph(
            graph,
            opset=OPSET,
            input_names=inputs,
            output_names=outputs,
            tensors_to_rename=names,
        )
    optimizers = {
        name: getattr(optimizer, kind) for name, kind in _OPTIMIZERS.items()
    }
    converted = optimizer.optimize_graph(converted, optimizers=optimizers)
    return converted.make_model("BERT")


def _name_dimensions(model: "ModelProto") -> None:
    """Calls the first unknown size of each tensor `batch`, then `sequence`."""
    for tensor in (*model.graph.input, *model.graph.output):
        names = iter(("batch", "sequence"))
        for dimension in tensor.type.tensor_type.shape.dim:
            if not dimension.HasField("dim_value"):
                dimension.dim_param = next(names)
