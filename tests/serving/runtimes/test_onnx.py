"""Answers by onnx are those of the export; needs its packages.

pip install -r requirements-onnx.txt.
"""

import pytest

from tests.modeling.backbones.encoders import every_type
from tests.scripts.runner import run_code
from tests.serving import answers_alike

for _package in ("onnx", "onnxruntime", "tf2onnx"):
    pytest.importorskip(_package)

_CODE = """
import sys
from bert.serving.predictor import Predictor
predictor = Predictor.load(sys.argv[1], runtime="onnx")
print(predictor.predict(["it rained."])[0]["label"] in predictor.labels)
print("tensorflow" in sys.modules)
"""


@pytest.mark.parametrize("name", answers_alike.REQUESTS)
def test_every_task_answers_alike(golden, tmp_path, name):
    answers_alike.assert_same(golden, tmp_path, name, "onnx", 1e-5)


@every_type
def test_every_encoder_answers_alike(golden, tmp_path, encoder_type):
    answers_alike.assert_same(
        golden,
        tmp_path,
        "classification",
        "onnx",
        1e-5,
        encoder_type=encoder_type,
    )
    # In a process that has not imported it already.
    ran = run_code(_CODE, str(tmp_path / "small"))
    assert (ran.returncode, ran.stdout) == (0, "True\nFalse\n"), ran.stderr
