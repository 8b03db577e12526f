"""Answers by OpenVINO are those of the export; needs its packages.

pip install -r requirements-openvino.txt.
"""

import pytest

from bert.errors import UserError
from bert.model_folder import formats
from tests.serving import answers_alike

# Imported as the commands do it, which tells nobody.
try:
    formats.check_to_make(["openvino_int8"])
except UserError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.mark.parametrize("name", ["classification", "regression", "features"])
def test_answers_are_alike(golden, tmp_path, name):
    answers_alike.assert_same(golden, tmp_path, name, "openvino_bfloat16", 0.06)
