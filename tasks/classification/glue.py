"""The tasks of GLUE that the original lacks.

Their files have a header line, and columns are found by its names.
Source: Wang et al. 2019, "GLUE: A Multi-Task Benchmark".
"""

import os
from collections.abc import Mapping, Sequence
from typing import ClassVar

from bert.data.tables import rows
from bert.data.tables.rows import Row
from bert.errors import UserError
from bert.tasks.classification.processors import (
    FileProcessor,
    InputExample,
    MnliMismatchedProcessor,
)

_INDEX_COLUMNS = ("index", "id")


class HeaderProcessor(FileProcessor):
    """A task whose files name their columns.

    Attributes:
        text_columns: the column of each text: one, or two for a pair. Where
            releases differ, all names that a column has had.
        label_columns: the names that the label's column has had.
        skips_short_rows: whether rows of the training set that lack columns
            are left out, with a warning, instead of being an error.
    """

    text_columns: ClassVar[Sequence[tuple[str, ...]]] = (
        ("sentence1",),
        ("sentence2",),
    )
    label_columns: ClassVar[tuple[str, ...]] = ("label",)
    skips_short_rows: ClassVar[bool] = False

    def _create_examples(self, lines, set_type):
        header = lines[0]
        texts = [_column(header, names) for names in self.text_columns]
        label = None
        if set_type != "test":
            label = _column(header, self.label_columns)
        index = next((n for n in _INDEX_COLUMNS if n in header), None)
        examples, short = [], []
        for number, row in enumerate(lines[1:], start=1):
            if (
                self.skips_short_rows
                and set_type == "train"
                and len(row) < len(header)
            ):
                short.append(row)
                continue
            if len(row) != len(header):
                raise row.place.fault(
                    f"{len(header)} columns separated by tabs, as in the "
                    f"header ({rows.some(header)}); there are {len(row)}"
                )
            name = row[header.index(index)] if index else number
            text_a, *text_b = (row[column] for column in texts)
            examples.append(
                InputExample(
                    f"{set_type}-{name}",
                    text_a,
                    text_b[0] if text_b else None,
                    None if label is None else self._label(row, label),
                )
            )
        rows.warn_of(
            short,
            f"{{count}} row(s) with fewer than {len(header)} columns are left "
            "out, the first in line {line}.",
        )
        return examples


def _column(header: Row, names: tuple[str, ...]) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    raise header.place.fault(
        f"a header with a column {' or '.join(names)}",
        "give the files of this task (a set without labels can only be "
        "predicted)",
    )


class Sst2Processor(HeaderProcessor):
    """SST-2: is a review's sentence for the film (1) or against it (0)?"""

    text_columns = (("sentence",),)
    glue_name = "SST-2"


class QqpProcessor(HeaderProcessor):
    """QQP: do two questions ask the same?"""

    text_columns = (("question1",), ("question2",))
    label_columns = ("is_duplicate",)
    metric_names = ("f1",)
    glue_name = "QQP"
    # The published training set has a few.
    skips_short_rows = True


class StsbProcessor(HeaderProcessor):
    """STS-B: how alike are two sentences, from 0 to 5?"""

    kind = "regression"
    label_columns = ("score",)
    labels = ()
    glue_name = "STS-B"

    def _label(self, row, index):
        return rows.number(row[index], row.place)


class QnliProcessor(HeaderProcessor):
    """QNLI: does a sentence answer a question?"""

    text_columns = (("question",), ("sentence",))
    labels = ("entailment", "not_entailment")
    glue_name = "QNLI"


class RteProcessor(HeaderProcessor):
    """RTE: does one sentence follow from another?"""

    labels = ("entailment", "not_entailment")
    glue_name = "RTE"


class WnliProcessor(HeaderProcessor):
    """WNLI: does a sentence follow whose pronoun has been replaced?"""

    glue_name = "WNLI"


class AxProcessor(HeaderProcessor):
    """AX, the diagnostic set: predicted by a model that MNLI has trained.

    One file serves as dev set, where it has labels, and as test set.
    """

    files: ClassVar[Mapping[str, str]] = {
        "dev": "diagnostic.tsv",
        "test": "diagnostic.tsv",
    }
    text_columns = (("sentence1", "Premise"), ("sentence2", "Hypothesis"))
    label_columns = ("label", "gold_label", "Label")
    labels = ("contradiction", "entailment", "neutral")
    metric_names = ("matthews_correlation",)
    glue_name = "AX"

    def get_train_examples(self, data_dir):
        """Raises UserError: there is none."""
        raise UserError(
            "--task_name=ax has no training set: train with --task_name=mnli, "
            "then evaluate or predict ax with the same --output_dir. Received: "
            f"--do_train with --data_dir={os.fspath(data_dir)}."
        )


# By the names that --task_name takes.
PROCESSORS: dict[str, type[FileProcessor]] = {
    "mnli-mm": MnliMismatchedProcessor,
    "sst-2": Sst2Processor,
    "sst2": Sst2Processor,
    "qqp": QqpProcessor,
    "sts-b": StsbProcessor,
    "stsb": StsbProcessor,
    "qnli": QnliProcessor,
    "rte": RteProcessor,
    "wnli": WnliProcessor,
    "ax": AxProcessor,
}
