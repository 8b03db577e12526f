"""Answers by OpenVINO are those of the export; needs its packages.

pip install -r requirements-openvino.txt.
"""

import pytest

from tests.serving import answers_alike

pytest.importorskip("openvino")


@pytest.mark.parametrize("name", ["classification", "regression", "features"])
def test_answers_are_alike(golden, tmp_path, name):
    answers_alike.assert_same(golden, tmp_path, name, "openvino_bfloat16", 0.06)
