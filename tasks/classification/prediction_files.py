"""Files of predictions: the original's, a readable one, GLUE's."""

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from absl import logging

from bert.errors import UserError
from bert.files import atomic_files
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import InputExample
from bert.tasks.reports import part_file
from bert.tasks.requests import numbers_of


@dataclasses.dataclass(frozen=True)
class Writer:
    """Writes a test set's predictions into a folder.

    Attributes:
        output_dir: the folder.
        key: the set's name, a part of its files' names; "" is the main set.
        kind: what is said of a text.
        labels: what the outputs are called; none where they have no names.
        values: float32 [n, L], in the order of the examples: probabilities,
            or the number.

    Raises:
        UserError: there is what is no number, which JSON cannot write.
    """

    output_dir: str
    key: str
    kind: Kind
    labels: Sequence[str]
    values: np.ndarray

    def __post_init__(self):
        good = np.isfinite(self.values).all(axis=-1)
        if not good.all():
            raise UserError(
                f"The model's output is not a number for row "
                f"{int(np.argmin(good)) + 1} of {len(good)}; was it trained to "
                "a finite loss?"
            )

    def write_test_results(self) -> None:
        """Writes the original's test_results.tsv.

        A line a row, without a header: the probabilities in the order of the
        labels, or the number.
        """
        self._write_lines(
            part_file("test_results.tsv", self.key),
            ("\t".join(map(str, row)) for row in self.values),
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
            part_file("predictions.jsonl", self.key),
            (
                json.dumps(
                    self._object(row, example, with_texts), ensure_ascii=False
                )
                for row, example in zip(self.values, examples, strict=True)
            ),
        )

    def write_submission(self, glue_name: str) -> None:
        """Writes the file that the GLUE server takes, `<glue_name>.tsv`.

        A header, then each row's number from 0 and its label; for STS-B a
        number from 0 to 5.
        """
        lines = ["index\tprediction"]
        for number, row in enumerate(self.values):
            prediction = self.kind.prediction(self.labels, row)
            lines.append(f"{number}\t{self.kind.submitted(prediction)}")
        self._write_lines(f"{glue_name}.tsv", lines)

    def _object(
        self, row: np.ndarray, example: InputExample, with_texts: bool
    ) -> dict[str, Any]:
        values: dict[str, Any] = {"id": example.guid}
        if with_texts:
            values["text_a"] = example.text_a
            if example.text_b is not None:
                values["text_b"] = example.text_b
        values["label"] = self.kind.prediction(self.labels, row)
        if self.labels:
            values["probabilities"] = dict(
                zip(self.labels, numbers_of(row), strict=True)
            )
        return values

    def _write_lines(self, name: str, lines: Iterable[str]) -> None:
        path = os.path.join(self.output_dir, name)
        atomic_files.write_text(path, "".join(f"{line}\n" for line in lines))
        logging.info("Wrote %s", path)
