"""Bodies have the forms of TensorFlow Serving's REST API."""

import base64
import json

import numpy as np
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from bert.errors import UserError
from bert.serving import http_rows
from bert.serving.http_rows import Request


def parse(value):
    return http_rows.parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    "rows",
    [
        ["the boat", ["the", "boat"], {"text": "a", "id": 3}],
        [{"input_ids": [1, 2], "input_mask": [1, 1], "segment_ids": [0, 0]}],
        [[["x"]]],
    ],
)
def test_instances_are_rows(rows):
    assert parse({"instances": rows}) == Request(rows, "instances")


def test_inputs_are_columns():
    found = parse({"inputs": {"text": ["a", "b"], "id": [1, 2]}})
    rows = [{"text": "a", "id": 1}, {"text": "b", "id": 2}]
    assert found == Request(rows, "inputs")
    assert parse({"inputs": ["a", "b"]}) == Request(["a", "b"], "inputs")


def test_the_name_of_the_signature_is_left_alone():
    for name in ("serving_default", "pairs", ""):
        found = parse({"signature_name": name, "instances": ["a"]})
        assert found.values == ["a"]


def test_texts_may_be_in_base64():
    text = {"b64": base64.b64encode("naïve".encode()).decode()}
    rows = [text, {"text": text, "choices": [text, "b"]}, ["c", text]]
    assert parse({"instances": rows}).values == [
        "naïve",
        {"text": "naïve", "choices": ["naïve", "b"]},
        ["c", "naïve"],
    ]
    assert parse({"inputs": {"text": [text]}}).values == [{"text": "naïve"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "The body must be JSON. Received: Expecting value."),
        (b"{", "must be JSON"),
        (b'{"instances": ["a"]} x', "Extra data"),
        (b"\xff", "0xff, which is no UTF-8"),
        (b'{"instances": ["\\ud800"]}', "half a character"),
        (b"[" * 10**5, "nests too deeply"),
        (b'{"instances": [1' + b"0" * 5000 + b"]}", "digits"),
        (b'{"instances": [1], "instances": [2]}', "'instances' twice"),
        (b'["a"]', "Received: neither."),
        (b"null", "Received: neither."),
        (b"{}", "Received: neither."),
        (b'{"instances": [1], "inputs": [1]}', "instances and inputs"),
        (b'{"instances": []}', "at least one row. Received: []."),
        (b'{"instances": "a"}', "instances must be a list"),
        (b'{"instances": {"text": ["a"]}}', "instances must be a list"),
        (b'{"inputs": []}', "inputs must be a list"),
        (b'{"inputs": "a"}', "inputs must be a list"),
        (b'{"inputs": {}}', "a list for each name"),
        (b'{"inputs": {"text": "a"}}', "a list for each name"),
        (b'{"inputs": {"text": []}}', "at least one row"),
        (b'{"inputs": {"a": ["x"], "b": []}}', "one length. Received: a: 1"),
        (b'{"instances": [1], "signature_name": 3}', "must be a string"),
        (b'{"instances": [{"b64": "a"}]}', "instances[0]: expected {"),
        (b'{"instances": ["a", {"b64": "/w=="}]}', "instances[1]: expected {"),
        (b'{"instances": [{"t": [{"b64": "a"}]}]}', "instances[0].t[0]: exp"),
        (b'{"inputs": {"t": ["a", {"b64": "a"}]}}', "inputs.t[1]: expected {"),
    ],
)
def test_a_bad_body_is_one_line(body, expected):
    with pytest.raises(UserError) as raised:
        http_rows.parse(body)
    message = str(raised.value)
    assert expected in message
    assert len(message) <= 300
    assert "\n" not in message


def test_answers_have_the_form_of_the_request():
    answers = [{"label": "a", "n": 1}, {"label": "b", "n": 2}]

    def body(*args):
        return json.loads(http_rows.to_body(*args))

    assert body("instances", answers) == {"predictions": answers}
    assert body("inputs", answers) == {
        "outputs": {"label": ["a", "b"], "n": [1, 2]}
    }
    # One output goes without its name.
    assert body("instances", [[1.0], [2.0]]) == {"predictions": [[1.0], [2.0]]}
    assert body("inputs", [[1.0], [2.0]]) == {"outputs": [[1.0], [2.0]]}
    array = np.float32([0.12345678])
    assert body("instances", [{"v": array}]) == {
        "predictions": [{"v": [0.123457]}]
    }


@pytest.mark.parametrize(
    "answers",
    [
        [{"label": "a"}, {"id": 1, "label": "a"}],
        [{"id": 1, "label": "a"}, {"label": "a"}],
        [{"score": 1.0}, 1.0],
        [1.0, {"score": 1.0}],
    ],
)
def test_answers_of_several_kinds_make_no_columns(answers):
    with pytest.raises(UserError, match="answered alike") as raised:
        http_rows.to_body("inputs", answers)
    assert len(str(raised.value)) <= 300
    assert b"predictions" in http_rows.to_body("instances", answers)


def test_the_status_is_tensorflow_servings():
    assert http_rows.status(12) == {
        "model_version_status": [
            {
                "version": "12",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def test_the_metadata_is_tensorflow_servings():
    found = http_rows.metadata("m", 3, {"logits": ("float32", (-1, 2))})
    assert found["model_spec"] == {
        "name": "m",
        "signature_name": "",
        "version": "3",
    }
    signatures = found["metadata"]["signature_def"]["signature_def"]
    signature = signatures["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert list(signature["inputs"]) == [
        *("input_ids", "input_mask", "segment_ids")
    ]
    assert signature["inputs"]["input_ids"]["dtype"] == "DT_INT32"
    assert signature["outputs"]["logits"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
            "unknown_rank": False,
        },
        "name": "serving_default_logits:0",
    }


def test_tensorflow_servings_own_messages_take_both():
    status = json_format.ParseDict(
        http_rows.status(12), get_model_status_pb2.GetModelStatusResponse()
    )
    [version] = status.model_version_status
    assert version.version == 12
    assert version.State.Name(version.state) == "AVAILABLE"

    found = http_rows.metadata("m", 3, {"logits": ("float32", (-1, 2))})
    spec = json_format.ParseDict(found["model_spec"], model_pb2.ModelSpec())
    assert (spec.name, spec.version.value) == ("m", 3)
    signatures = json_format.ParseDict(
        found["metadata"]["signature_def"],
        get_model_metadata_pb2.SignatureDefMap(),
    )
    logits = signatures.signature_def["serving_default"].outputs["logits"]
    assert [dim.size for dim in logits.tensor_shape.dim] == [-1, 2]
