"""OpenVINO models give what the SavedModel gives; needs openvino and nncf.

pip install -r requirements-openvino.txt.
"""

import logging
import os

import pytest

from bert.conversion import openvino as conversion
from bert.errors import UserError
from bert.model_folder import formats
from tests.conversion import exports
from tests.modeling.backbones.encoders import every_type
from tests.scripts.runner import run_code

# Imported as the commands do it, which tells nobody.
try:
    formats.check_to_make(["openvino_int8"])
except UserError as error:
    pytest.skip(str(error), allow_module_level=True)

# bfloat16 keeps 8 bits: 0.4 % of a number, at each step.
TOLERANCE = 0.06


def opened(path):
    return formats.open_model("openvino_bfloat16", path)


def make_bfloat16(export_dir, path):
    conversion.make_openvino_bfloat16(export_dir, f"{path}.xml")


@exports.some_tasks
def test_bfloat16_rounds_and_no_more(golden, tmp_path, name, changes):
    folder, path = exports.converted(
        golden, tmp_path, name, make_bfloat16, **changes
    )
    exports.assert_same(opened(f"{path}.xml"), folder, TOLERANCE)


@every_type
def test_every_encoder_can_be_converted(golden, tmp_path, encoder_type):
    folder, path = exports.converted(
        golden,
        tmp_path,
        "classification",
        make_bfloat16,
        encoder_type=encoder_type,
    )
    exports.assert_same(opened(f"{path}.xml"), folder, TOLERANCE)


def test_int8_is_smaller_and_nearly_as_good(golden, tmp_path, caplog):
    sizes = {"hidden_size": 96, "intermediate_size": 384}
    folder = exports.write(golden, tmp_path, "classification", **sizes)
    half, quarter = str(tmp_path / "half.xml"), str(tmp_path / "quarter.xml")
    conversion.make_openvino_bfloat16(folder, half)
    conversion.make_openvino_int8(folder, quarter, exports.BATCHES)
    logging.warning("still heard")
    assert "still heard" in caplog.text
    bytes_of = [
        os.path.getsize(path.replace(".xml", ".bin"))
        for path in (half, quarter)
    ]
    assert bytes_of[1] < 0.75 * bytes_of[0]
    model = formats.open_model("openvino_int8", quarter)
    exports.assert_rounded(model, folder, 0.15)


_CODE = """
from bert.errors import UserError
from bert.model_folder import formats
formats.check_to_make(["openvino_int8"])
import nncf, openvino
openvino.Core()
"""


def test_the_makers_are_told_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = run_code(_CODE)
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "intel").exists()


def test_rows_to_calibrate_with_are_of_all_lengths_without_padding():
    many = [exports.batch(32, 10 + i % 30) for i in range(200)]
    found = conversion._some(many)
    assert 120 < len(found) <= 128
    assert len(conversion._some(many[:1])) == 32
    lengths = {each["input_ids"].shape[1] for each in found}
    assert max(lengths) > 35
    assert min(lengths) < 6
    assert all(each["input_mask"].all() for each in found)
