"""SavedModels as LiteRT models (.tflite), for phones and small machines."""

import tensorflow as tf

from bert.model_folder.saved_model import SIGNATURE


def make_litert_float16(saved_model_dir: str, path: str) -> None:
    """Writes a LiteRT model whose weights are float16; it computes in float32.

    Args:
        saved_model_dir: a SavedModel with the signature `SIGNATURE`.
        path: the file to write.
    """
    converter = _converter(saved_model_dir)
    converter.target_spec.supported_types = [tf.float16]
    _write(converter, path)


def make_litert_int8(saved_model_dir: str, path: str) -> None:
    """Writes a LiteRT model whose matrices are int8.

    Dynamic range: activations are rounded to int8 as they come into a matrix
    product, whose result is float32. Needs no data to calibrate with.

    Args:
        saved_model_dir: a SavedModel with the signature `SIGNATURE`.
        path: the file to write.
    """
    _write(_converter(saved_model_dir), path)


def _converter(saved_model_dir: str) -> tf.lite.TFLiteConverter:
    converter = tf.lite.TFLiteConverter.from_saved_model(
        saved_model_dir, signature_keys=[SIGNATURE]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter


def _write(converter: tf.lite.TFLiteConverter, path: str) -> None:
    model = converter.convert()
    with open(path, "wb") as file:
        file.write(model)
