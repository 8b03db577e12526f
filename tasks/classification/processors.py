"""Classification tasks: files → examples.

A task is a `DataProcessor`. Those of the original are here, the others of
GLUE in `glue`, one's own files in `table_files`; examples become features in
`features`.
Imports neither TensorFlow nor NumPy.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import ClassVar

from bert.data.tables import rows
from bert.data.tables.rows import Row
from bert.data.text.tokenization import convert_to_unicode
from bert.errors import UserError


@dataclasses.dataclass(eq=False)
class InputExample:
    """A text, or a pair of texts, and its label.

    Instances are compared by identity, as in the original.

    Attributes:
        guid: a name for it.
        text_a: the text, or the first of a pair.
        text_b: the second of a pair; None or "" if there is none.
        label: one of the task's labels; a number in regression, a list of
            labels where a text may have several. None in a test set.
    """

    guid: str
    text_a: str
    text_b: str | None = None
    label: str | float | Sequence[str] | None = None


class DataProcessor:
    """A task: where its examples come from, and what they are judged by.

    A subclass gives the examples and the labels; the attributes have defaults.

    Attributes:
        kind: "classification": one label for each text; "regression": a
            number; "multi_label": any number of labels (`kinds`).
        metric_names: what joins the original's figures in eval_results.txt;
            see `metrics.METRICS`.
        glue_name: its file's name for the GLUE server, less `.tsv`; None: it
            is no task of GLUE.
        also: further dev and test sets of the task, by the name that tells
            their figures and files from the main ones'; used where their
            files exist.
    """

    kind: str = "classification"
    metric_names: Sequence[str] = ()
    glue_name: ClassVar[str | None] = None
    also: ClassVar[Mapping[str, type["FileProcessor"]]] = {}

    def get_train_examples(self, data_dir: str) -> list[InputExample]:
        """Returns the training set."""
        raise NotImplementedError

    def get_dev_examples(self, data_dir: str) -> list[InputExample]:
        """Returns the set that is evaluated."""
        raise NotImplementedError

    def get_test_examples(self, data_dir: str) -> list[InputExample]:
        """Returns the set that is predicted."""
        raise NotImplementedError

    def get_labels(self) -> list[str]:
        """Returns the labels' names; a label's place here is its number."""
        raise NotImplementedError

    def path(self, data_dir: str | None, set_type: str) -> str | None:
        """Returns the file of a set; None where nobody knows.

        Args:
            data_dir: the folder of the task's files.
            set_type: train, dev or test.
        """
        del data_dir, set_type
        return None

    @classmethod
    def _read_tsv(cls, input_file: str, quotechar: str | None = None):
        """Reads rows separated by tabs: `data.tables.rows.read_tsv`."""
        return rows.read_tsv(input_file, quotechar)


class FileProcessor(DataProcessor):
    """A task of three files, each row of them an example.

    Attributes:
        files: the set's file in data_dir, by "train", "dev" and "test"; a
            task that lacks a set leaves it out.
        labels: what `get_labels` returns.
        dev_name: how the names of dev examples begin.
    """

    files: ClassVar[Mapping[str, str]] = {
        "train": "train.tsv",
        "dev": "dev.tsv",
        "test": "test.tsv",
    }
    labels: ClassVar[Sequence[str]] = ("0", "1")
    dev_name: ClassVar[str] = "dev"

    def get_train_examples(self, data_dir):
        """Returns the training set."""
        return self._get_examples(data_dir, "train")

    def get_dev_examples(self, data_dir):
        """Returns the set that is evaluated."""
        return self._get_examples(data_dir, "dev")

    def get_test_examples(self, data_dir):
        """Returns the set that is predicted."""
        return self._get_examples(data_dir, "test")

    def get_labels(self):
        """Returns `labels`."""
        return list(self.labels)

    def _get_examples(self, data_dir: str, set_type: str):
        if set_type not in self.files:
            raise NotImplementedError
        path = self.path(data_dir, set_type)
        lines = rows.sound_rows(self._read_tsv(path), path)
        name = self.dev_name if set_type == "dev" else set_type
        examples = self._create_examples(lines, name)
        if not examples and len(lines) < 2:
            raise UserError(
                f"{path}: expected examples. Received: no row but the header; "
                "create the file again."
            )
        return examples

    def path(self, data_dir: str | None, set_type: str) -> str:
        """Returns the file of a set that the task has."""
        return os.path.join(data_dir or "", self._file(set_type))

    def _file(self, set_type: str) -> str:
        return self.files[set_type]

    def _create_examples(
        self, lines: Sequence[list[str]], set_type: str
    ) -> list[InputExample]:
        raise NotImplementedError

    def _pairs(
        self,
        lines: Sequence[list[str]],
        set_type: str,
        texts: tuple[int, int],
        label: int,
        index: int | None = None,
    ) -> list[InputExample]:
        """Returns the pairs below a header, by the numbers of their columns."""
        examples = []
        for i, row in enumerate(lines[1:], start=1):
            name = i if index is None else _cell(row, index, "the index")
            pair = (
                _cell(row, texts[0], "the first text"),
                _cell(row, texts[1], "the second text"),
            )
            is_test = set_type == "test"
            own = self.labels[0] if is_test else self._label(row, label)
            examples.append(InputExample(f"{set_type}-{name}", *pair, own))
        return examples

    def _label(self, row: list[str], index: int) -> str:
        """Returns the label in a column; UserError where a file has none."""
        label = _cell(row, index, "the label")
        if isinstance(row, Row) and label not in self.labels:
            where = "the last column" if index < 0 else f"column {index}"
            raise row.place.fault(
                f"a label ({', '.join(self.labels)}) in {where}, found "
                f"{rows.shorten(label)}"
            )
        return label


def _cell(row: list[str], index: int, meaning: str) -> str:
    """Returns a field of a row of a file, or of a list that code has made."""
    if isinstance(row, Row):
        return row.field(index, meaning)
    return convert_to_unicode(row[index])


class ColaProcessor(FileProcessor):
    """CoLA: is a sentence acceptable English?"""

    metric_names = ("matthews_correlation",)
    glue_name = "CoLA"

    def _create_examples(self, lines, set_type):
        if set_type == "test":  # the only one with a header
            return [
                InputExample(f"test-{i}", _cell(row, 1, "the text"), label="0")
                for i, row in enumerate(lines)
                if i > 0
            ]
        return [
            InputExample(
                f"{set_type}-{i}",
                _cell(row, 3, "the text"),
                label=self._label(row, 1),
            )
            for i, row in enumerate(lines)
        ]


class MrpcProcessor(FileProcessor):
    """MRPC: do two sentences mean the same?"""

    metric_names = ("f1",)
    glue_name = "MRPC"

    def _create_examples(self, lines, set_type):
        return self._pairs(lines, set_type, (3, 4), 0)


class MnliMismatchedProcessor(FileProcessor):
    """MNLI, judged by texts of other kinds than those it is trained on."""

    files: ClassVar[Mapping[str, str]] = {
        "train": "train.tsv",
        "dev": "dev_mismatched.tsv",
        "test": "test_mismatched.tsv",
    }
    labels = ("contradiction", "entailment", "neutral")
    dev_name = "dev_mismatched"
    glue_name = "MNLI-mm"

    def _create_examples(self, lines, set_type):
        return self._pairs(lines, set_type, (8, 9), -1, index=0)


class MnliProcessor(MnliMismatchedProcessor):
    """MNLI: does one sentence follow from another, or contradict it?"""

    files: ClassVar[Mapping[str, str]] = {
        "train": "train.tsv",
        "dev": "dev_matched.tsv",
        "test": "test_matched.tsv",
    }
    dev_name = "dev_matched"
    glue_name = "MNLI-m"
    also: ClassVar[Mapping[str, type[FileProcessor]]] = {
        "mismatched": MnliMismatchedProcessor
    }


class XnliProcessor(FileProcessor):
    """XNLI, trained on MNLI and judged in one language; no test set.

    Attributes:
        languages: those that there are.
        language: of the texts.
    """

    languages: ClassVar[Sequence[str]] = (
        *("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw"),
        *("th", "tr", "ur", "vi", "zh"),
    )

    files: ClassVar[Mapping[str, str]] = {
        "train": "multinli/multinli.train.{}.tsv",
        "dev": "xnli.dev.tsv",
    }
    labels = ("contradiction", "entailment", "neutral")

    def __init__(self) -> None:
        self.language = "zh"

    def _file(self, set_type):
        return self.files[set_type].format(self.language)

    def _create_examples(self, lines, set_type):
        create = self._train_example if set_type == "train" else self._dev
        return [
            create(f"{set_type}-{i}", row)
            for i, row in enumerate(lines)
            if i > 0 and (set_type == "train" or row[0] == self.language)
        ]

    def _train_example(self, guid: str, row: Row) -> InputExample:
        if row.field(2, "the label") == "contradictory":
            row[2] = "contradiction"
        return InputExample(guid, row[0], row[1], self._label(row, 2))

    def _dev(self, guid: str, row: Row) -> InputExample:
        text_a = row.field(6, "the first text")
        text_b = row.field(7, "the second text")
        return InputExample(guid, text_a, text_b, self._label(row, 1))
