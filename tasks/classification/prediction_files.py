"""Files of predictions: the original's, a readable one, GLUE's."""

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from bert.errors import UserError
from bert.files import atomic_files
from bert.tasks.classification.processors import InputExample
from bert.tasks.classification.sets import file_name


class Predictions(NamedTuple):
    """What a model says of a test set.

    Attributes:
        kind: see `tasks.classification.processors.DataProcessor`.
        labels: the task's, by their ids; none in regression.
        values: float32 [n, L], in the order of the examples: probabilities;
            in regression the number, [n, 1].
    """

    kind: str
    labels: Sequence[str]
    values: np.ndarray

    def label(self, row: int) -> str | float | list[str]:
        """Returns what is predicted for a row.

        The most probable label; of multi_label all from a probability of 0.5
        on; in regression the number.
        """
        values = self.values[row]
        if self.kind == "regression":
            return _number(values[0])
        if self.kind == "multi_label":
            return [
                label
                for label, p in zip(self.labels, values, strict=True)
                if p >= 0.5
            ]
        return self.labels[int(np.argmax(values))]


class Writer:
    """Writes a test set's predictions into a folder.

    Args:
        output_dir: the folder.
        key: the set's name, a part of its files' names; "" is the main set.
        predictions: what to write.

    Raises:
        UserError: there is what is no number, which JSON cannot write.
    """

    def __init__(self, output_dir: str, key: str, predictions: Predictions):
        good = np.isfinite(predictions.values).all(axis=-1)
        if not good.all():
            raise UserError(
                f"The model's output is not a number for row "
                f"{int(np.argmin(good)) + 1} of {len(good)}; was it trained to "
                "a finite loss?"
            )
        self._output_dir = output_dir
        self._key = key
        self._predictions = predictions

    def write_test_results(self) -> None:
        """Writes the original's test_results.tsv.

        A line a row, without a header: the probabilities in the order of the
        labels, or the number.
        """
        self._write_lines(
            file_name("test_results.tsv", self._key),
            ("\t".join(map(str, row)) for row in self._predictions.values),
        )

    def write_json_lines(
        self, examples: Sequence[InputExample], with_texts: bool
    ) -> None:
        """Writes predictions.jsonl, a JSON object a line.

        Its keys: `id`, the example's guid; `text_a` and `text_b`, if asked
        for; `label`, a name, a list of names or a number; and `probabilities`
        by name, but not in regression.
        """
        self._write_lines(
            file_name("predictions.jsonl", self._key),
            (
                json.dumps(
                    self._values(row, example, with_texts), ensure_ascii=False
                )
                for row, example in zip(
                    range(len(self._predictions.values)), examples, strict=True
                )
            ),
        )

    def write_submission(self, glue_name: str) -> None:
        """Writes the file that the GLUE server takes, `<glue_name>.tsv`.

        A header, then each row's number from 0 and its label; for STS-B a
        number from 0 to 5.
        """
        lines = ["index\tprediction"]
        for row in range(len(self._predictions.values)):
            label = self._predictions.label(row)
            if self._predictions.kind == "regression":
                label = f"{min(max(label, 0.0), 5.0):.3f}"
            lines.append(f"{row}\t{label}")
        self._write_lines(f"{glue_name}.tsv", lines)

    def _values(
        self, row: int, example: InputExample, with_texts: bool
    ) -> dict[str, Any]:
        predictions = self._predictions
        values: dict[str, Any] = {"id": example.guid}
        if with_texts:
            values["text_a"] = example.text_a
            if example.text_b is not None:
                values["text_b"] = example.text_b
        values["label"] = predictions.label(row)
        if predictions.kind != "regression":
            numbers = map(_number, predictions.values[row])
            values["probabilities"] = dict(
                zip(predictions.labels, numbers, strict=True)
            )
        return values

    def _write_lines(self, name: str, lines: Iterable[str]) -> None:
        path = os.path.join(self._output_dir, name)
        with (
            atomic_files.replacing(path) as temporary,
            tf.io.gfile.GFile(temporary, "w") as file,
        ):
            for line in lines:
                file.write(line + "\n")
        logging.info("Wrote %s", path)


def _number(value: np.float32) -> float:
    """Returns a number that JSON writes with the digits it has."""
    return float(str(value))
