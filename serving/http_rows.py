"""The forms of TensorFlow Serving's REST API: what is asked and answered.

Imports neither TensorFlow nor a web framework.

Source: https://www.tensorflow.org/tfx/serving/api_rest.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bert.data.tables import json_node, rows
from bert.errors import UserError
from bert.serving import line_service
from bert.tasks.spec import INPUTS

SIGNATURE = "serving_default"

_ROWS, _COLUMNS = "instances", "inputs"
_NAME_CHARS = 40  # of a name in a message
_DTYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32"}
_IDS = {name: ("int32", (-1, -1)) for name in INPUTS}


class Request(NamedTuple):
    """What the body of a `:predict` asks.

    Attributes:
        values: a row each: a text, texts, or an object.
        form: "instances" (rows) or "inputs" (columns).
    """

    values: list[Any]
    form: str


def parse(body: bytes) -> Request:
    """Reads the body of a `:predict`.

    Raises:
        UserError: it is not of the API's form.
    """
    try:
        value = json_node.parse_text(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(
            "The body must be JSON in UTF-8. Received: the byte "
            f"0x{body[error.start]:02x}, which is no UTF-8 ({error.reason})."
        ) from error
    except ValueError as error:
        raise UserError(f"The body must be JSON. Received: {error}.") from error
    forms = [
        f for f in (_ROWS, _COLUMNS) if isinstance(value, dict) and f in value
    ]
    if not isinstance(value, dict) or len(forms) != 1:
        raise UserError(
            'The body must be {"instances": [rows]} or {"inputs": columns}. '
            f"Received: {' and '.join(forms) or 'neither'}."
        )
    if not isinstance(value.get("signature_name", ""), str):
        raise UserError("signature_name must be a string.")
    (form,) = forms
    given = _decoded(value[form], form)
    values = _rows_of(given) if form == _COLUMNS else given
    if not isinstance(values, list) or not values:
        raise UserError(
            f"{form} must be a list of at least one row. Received: "
            f"{rows.shorten(given)}."
        )
    return Request(values, form)


def to_body(form: str, answers: Sequence[Any]) -> bytes:
    """Returns the body that answers a request.

    Args:
        form: the request's.
        answers: of its rows.

    Raises:
        UserError: they make no columns.
    """
    if form == _ROWS:
        body: Any = {"predictions": answers}
    else:
        body = {"outputs": _columns_of(answers)}
    return line_service.to_json(body).encode()


def status(version: int) -> dict[str, Any]:
    """Returns how the version that is served is."""
    return {
        "model_version_status": [
            {
                "version": str(version),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def metadata(
    name: str,
    version: int,
    outputs: Mapping[str, tuple[str, tuple[int, ...]]],
) -> dict[str, Any]:
    """Returns the signature of a model, by ids.

    Args:
        name: the model's.
        version: the model's.
        outputs: by name, NumPy's type and the shape; -1: any size.
    """
    signature = {
        "inputs": {k: _tensor(k, *v) for k, v in _IDS.items()},
        "outputs": {k: _tensor(k, *v) for k, v in outputs.items()},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {
            "name": name,
            "signature_name": "",
            "version": str(version),
        },
        "metadata": {
            "signature_def": {"signature_def": {SIGNATURE: signature}}
        },
    }


def _tensor(name: str, dtype: str, shape: Sequence[int]) -> dict[str, Any]:
    return {
        "dtype": _DTYPES[dtype],
        "tensor_shape": {
            "dim": [{"size": str(size), "name": ""} for size in shape],
            "unknown_rank": False,
        },
        "name": f"{SIGNATURE}_{name}:0",
    }


def _rows_of(columns: Any) -> Any:
    """Returns the rows of columns; a list is the only column there is.

    Raises:
        UserError: the columns are no lists of one length.
    """
    if not isinstance(columns, dict):
        return columns
    if not columns or not all(isinstance(c, list) for c in columns.values()):
        raise UserError(
            "inputs must be a list for each name, with an entry a row. "
            f"Received: {rows.shorten(columns)}."
        )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = rows.some([f"{k}: {n}" for k, n in lengths.items()])
        raise UserError(
            f"inputs must be lists of one length. Received: {shown}."
        )
    each = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in each]


def _columns_of(answers: Sequence[Any]) -> Any:
    """Returns columns; answers without names are the only column there is.

    Raises:
        UserError: they have other names than one another.
    """
    found = [set(each) if isinstance(each, dict) else None for each in answers]
    if found.count(found[0]) < len(found):
        raise UserError(
            "inputs must be rows that are answered alike: all texts or all "
            "ids, and all with an id or none; ask for these as "
            '{"instances": [rows]}.'
        )
    if found[0] is None:
        return answers
    return {name: [each[name] for each in answers] for name in answers[0]}


def _decoded(value: Any, place: str, depth: int = 4) -> Any:
    """Returns a value whose {"b64": …} are texts; raises UserError.

    Args:
        value: of JSON.
        place: where it stands, for the message.
        depth: how deep a text may stand: columns, rows, texts, choices.
    """
    if not depth:
        return value
    if isinstance(value, list):
        # Most are ids, or texts.
        if not any(isinstance(each, dict | list) for each in value):
            return value
        return [
            _decoded(each, f"{place}[{number}]", depth - 1)
            for number, each in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    if list(value) == ["b64"] and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise UserError(
                f'{place}: expected {{"b64": …}} to be a text in UTF-8 in '
                f"base64. Received: {rows.shorten(value['b64'])}."
            ) from error
    return {
        name: _decoded(each, f"{place}.{name[:_NAME_CHARS]}", depth - 1)
        for name, each in value.items()
    }
