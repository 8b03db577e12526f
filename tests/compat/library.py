"""Makes the calls of tests/golden/library and compares what comes of them.

The form of the records: ../golden/library's README in PROVENANCE.md.
"""

import collections
import importlib
import json
import logging
import math
import random
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
Record = dict[str, Any]


def records(module: str) -> list[Record]:
    """Returns the records of a module of the original."""
    return json.loads((GOLDEN / f"library/{module}.json").read_text("utf-8"))


class Calls:
    """Makes calls in a folder of their own."""

    def __init__(self, folder: Path, caplog) -> None:
        self.folder = folder
        self.caplog = caplog
        self._tokenizers: dict[str, Any] = {}
        self._count = 0

    def fault(self, record: Record) -> str | None:
        """Returns what differs from a record; None: nothing."""
        self._lists: list[list] = []
        self._outs: dict[str, Path] = {}
        self._rngs: list[random.Random] = []
        with pytest.MonkeyPatch.context() as patch:
            module = importlib.import_module(
                f"bert.{record['call'].split('.')[0]}"
            )
            for name, value in record.get("flags", {}).items():
                patch.setattr(module.FLAGS[name], "_value", value)
            self.caplog.clear()
            with self.caplog.at_level(logging.INFO, logger="absl"):
                fault = self._result(record)
        return fault or self._after(record)

    def _result(self, record: Record) -> str | None:
        args = self.value(record["args"]) if "args" in record else {}
        self._args = args
        self.caplog.clear()
        try:
            found = self._call(record, args)
        except Exception as error:  # compared with the original's
            return _error_fault(error, record)
        if "raises" in record:
            return f"expected {record['raises']}, got {found!r}"
        return self._differs(found, record)

    def _call(self, record: Record, args: dict[str, Any]) -> Any:
        function = self._function(record)
        if "over" not in record:
            return function(**args)
        if "true_code_points" in record:
            return {code for code in range(0x110000) if function(chr(code))}
        return [
            function(**args, **{record["over"]: item})
            for item in map(self.value, record["items"])
        ]

    def _function(self, record: Record) -> Any:
        name, *rest = record["call"].split(".")
        found: Any = importlib.import_module(f"bert.{name}")
        for part in rest:
            if "self" in record and isinstance(found, type):
                steps = record.get("override", {})
                steps = {key: eval(code) for key, code in steps.items()}
                if steps:
                    found = type("Own", (found,), steps)
                found = found(**self.value(record["self"]))
                for key, value in record.get("set", {}).items():
                    setattr(found, key, self.value(value))
            found = getattr(found, part)
        return found

    def _differs(self, found: Any, record: Record) -> str | None:
        post = record.get("post")
        if post == "vars":
            found = dict(vars(found))
        elif post == "str":
            found = [str(found), repr(found)]
        elif post == "pairs":
            found = [list(pair) for pair in found.items()]
        elif post == "batches":
            found = _batches(found, record)
        if "true_code_points" in record:
            return _code_points_fault(found, record["true_code_points"])
        if "result_type" in record:
            return _unlike(type(found).__name__, record["result_type"])
        if "attributes" in record and isinstance(record["attributes"], list):
            missing = set(record["attributes"]) - set(vars(found))
            return f"lacks {missing}" if missing else None
        if "process_feature" in record:
            return self._written(found, record)
        if self._lists:
            found = self._lists[0]
        expected = record["result"]
        return _unlike(_plain(found), expected, record.get("tolerance", 1e-6))

    def _written(self, writer: Any, record: Record) -> str | None:
        counts = []
        for feature in self.value(record["process_feature"]):
            writer.process_feature(feature)
            counts.append(writer.num_features)
        writer.close()
        found = {name: getattr(writer, name) for name in record["attributes"]}
        return _unlike(counts, record["num_features_after_each"]) or _unlike(
            found, record["attributes"]
        )

    def _after(self, record: Record) -> str | None:
        for name, expected in record.get("after", {}).items():
            if fault := _unlike(_plain(self._args[name]), expected):
                return f"after: {fault}"
        if "next_random" in record:
            number = self._rngs[0].random()
            if number != record["next_random"]:
                return f"next_random {number}"
        for name, expected in record.get("files", {}).items():
            if fault := _file_fault(self._outs[name], expected):
                return f"{name}: {fault}"
        return self._log_fault(record.get("log", []))

    def _log_fault(self, expected: list[list[str]]) -> str | None:
        found = []
        for line in self.caplog.records:
            text = line.getMessage()
            for name, path in self._outs.items():
                text = text.replace(str(path), f"<{name}>")
            found.append([line.levelname, text])
        rest = iter(found)
        missing = [line for line in expected if line not in rest]
        return f"not logged: {missing[0]}" if missing else None

    def value(self, coded: Any) -> Any:
        """Returns what a value in a record stands for."""
        if isinstance(coded, list):
            return [self.value(item) for item in coded]
        if not isinstance(coded, dict):
            return coded
        key = next((key for key in coded if key[0] == "$"), None)
        if key is None:
            return {name: self.value(item) for name, item in coded.items()}
        return getattr(self, f"_{key[1:]}")(coded[key], coded)

    def _path(self) -> Path:
        self._count += 1
        folder = self.folder / str(self._count)
        folder.mkdir()
        return folder

    def _file(self, text: str, _) -> str:
        path = self._path() / "file"
        path.write_bytes(text.encode("utf-8"))
        return str(path)

    def _hexfile(self, text: str, _) -> str:
        path = self._path() / "file"
        path.write_bytes(bytes.fromhex(text))
        return str(path)

    def _missing(self, _, __) -> str:
        return str(self._path() / "missing")

    def _out(self, name: str, _) -> str:
        self._outs[name] = self._path() / name
        return str(self._outs[name])

    def _input(self, name: str, _) -> str:
        return str(GOLDEN / "inputs" / name)

    def _golden(self, name: str, _) -> str:
        return str(GOLDEN / name)

    def _bytes(self, text: str, _) -> bytes:
        return bytes.fromhex(text)

    def _tuple(self, items: list, _) -> tuple:
        return tuple(self.value(items))

    def _pairs(self, pairs: list, _) -> dict:
        return dict(self.value(pairs))

    def _rng(self, seed: int, _) -> random.Random:
        self._rngs.append(random.Random(seed))
        return self._rngs[-1]

    def _py(self, code: str, _) -> Any:
        return eval(code)

    def _collect(self, _, __) -> Any:
        self._lists.append([])
        return self._lists[-1].append

    def _tokenizer(self, given: list, _) -> Any:
        key = str(given)
        if key not in self._tokenizers:
            tokenization = importlib.import_module("bert.tokenization")
            self._tokenizers[key] = tokenization.FullTokenizer(
                self._input(given[0], None), given[1]
            )
        return self._tokenizers[key]

    def _vocab_words(self, name: str, _) -> list[str]:
        return list(self._tokenizer([name, True], None).vocab)

    def _spans(self, spans: list, _) -> list:
        make = collections.namedtuple("DocSpan", "start length")
        return [make(*span) for span in spans]

    def _new(self, name: str, coded: dict) -> Any:
        module, _, name = name.partition(".")
        made = getattr(importlib.import_module(f"bert.{module}"), name)
        return made(**self.value(coded.get("with", {})))

    def _squad_features(self, given: dict, _, is_training=False) -> list:
        run_squad = importlib.import_module("bert.run_squad")
        found: list = []
        arguments = {"is_training": is_training, **self.value(given)}
        arguments["output_fn"] = found.append
        run_squad.convert_examples_to_features(**arguments)
        return found

    def _squad_train_features(self, given: dict, _) -> list:
        return self._squad_features(given, _, is_training=True)


def _error_fault(error: Exception, record: Record) -> str | None:
    names = [kind.__name__ for kind in type(error).__mro__]
    if record.get("raises") not in names:
        return f"{type(error).__name__}: {error}"
    text = re.sub(r"/\S*/(?=missing)", "<dir>/", str(error))
    if record.get("message", text) != text:
        return f"message: {error}"
    return None


def _code_points_fault(found: set[int], ranges: list[list[int]]) -> str | None:
    expected = {code for a, b in ranges for code in range(a, b + 1)}
    # The records are of Unicode 14; later ones have more characters.
    if unicodedata.unidata_version != "14.0.0":
        found &= expected
    wrong = sorted(found ^ expected)
    return f"code points {wrong[:5]}" if wrong else None


def _batches(input_fn: Any, record: Record) -> Record:
    dataset = input_fn({"batch_size": record["batch_size"]})
    spec = dataset.element_spec
    batches = list(dataset.take(record["take"] + 1))
    kept = batches[: record["take"]]
    found: Record = {
        "types": {name: own.dtype.name for name, own in spec.items()},
        "static_shapes": {
            name: own.shape.as_list() for name, own in spec.items()
        },
    }
    if record.get("values", True):
        found["batches"] = [
            {name: own.numpy().tolist() for name, own in batch.items()}
            for batch in kept
        ]
    if "shapes" in record["result"]:
        found["shapes"] = [
            {name: own.shape.as_list() for name, own in batch.items()}
            for batch in kept
        ]
    if "ends" in record["result"]:
        found["ends"] = len(batches) <= record["take"]
    return found


def _file_fault(path: Path, expected: Any) -> str | None:
    if expected is None:
        return "is there" if path.exists() else None
    if path.suffix == ".json":
        return _unlike(json.loads(path.read_text()), expected)
    import tensorflow as tf

    rows = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        rows.append(
            {
                name: list(getattr(own, own.WhichOneof("kind")).value)
                for name, own in features.items()
            }
        )
    return _unlike(rows, expected)


def _plain(found: Any) -> Any:
    """Returns a result in the form of the records."""
    name = type(found).__name__
    if name == "Feature":
        kind = found.WhichOneof("kind")
        return {"$feature": kind, "value": list(getattr(found, kind).value)}
    if hasattr(found, "_asdict"):
        values = found._asdict().items()
        return {"$fields_of": name, **{k: _plain(v) for k, v in values}}
    if isinstance(found, tuple):
        return {"$tuple": [_plain(item) for item in found]}
    if isinstance(found, list):
        return [_plain(item) for item in found]
    if isinstance(found, dict):
        if all(isinstance(key, str) for key in found):
            return {key: _plain(value) for key, value in found.items()}
        return {"$pairs": [[k, _plain(v)] for k, v in found.items()]}
    if isinstance(found, float) and math.isnan(found):
        return {"$float": "nan"}
    if hasattr(found, "__dict__") and not callable(found):
        return {
            "$fields_of": name,
            **{key: _plain(value) for key, value in vars(found).items()},
        }
    return found


def _unlike(found: Any, expected: Any, tolerance: float = 1e-6) -> str | None:
    """Returns where two values differ; None: nowhere."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() != found.keys():
            return f"keys {sorted(map(str, found))}"
        for key in expected:
            if fault := _unlike(found[key], expected[key], tolerance):
                return f"{key}: {fault}"
        return None
    if isinstance(expected, list) and isinstance(found, (list, tuple)):
        if len(expected) != len(found):
            return f"{len(found)} items: {str(found)[:300]}"
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            if fault := _unlike(one, other, tolerance):
                return f"{place}: {fault}"
        return None
    if isinstance(expected, float) and isinstance(found, float):
        close = math.isclose(
            found, expected, rel_tol=tolerance, abs_tol=tolerance
        )
        return None if close else f"{found}, not {expected}"
    if type(expected) is not type(found) or expected != found:
        return f"{found!r}, not {expected!r}"
    return None
