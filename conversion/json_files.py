"""JSON objects from files."""

import json
from typing import Any

from bert.errors import UserError


def read_json(path: str) -> dict[str, Any]:
    """Reads a JSON object, or raises UserError."""
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from error
    if not isinstance(values, dict):
        raise UserError(
            f"{path} must hold a JSON object. Received: "
            f"{type(values).__name__}."
        )
    return values
