"""What is said of a text: one label, any number of labels, or a number.

Each is a `Kind`, and all that differs between them is here. TensorFlow and
NumPy are imported where they are used. Letters of shapes: B batch, L labels,
n rows of a file.
"""

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from bert.data.records.fields import Field, sequence_fields
from bert.data.tables import rows
from bert.data.tables.rows import Place
from bert.errors import UserError
from bert.tasks import spec
from bert.tasks.classification.label_cells import label_name, several_labels
from bert.tasks.classification.processors import InputExample

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from bert.modeling import BertConfig
    from bert.modeling.backbones.backbone import ModelOptions
    from bert.modeling.classifiers import ClassifierModel

Label = str | float | list[str]

# Of several labels: those of such a probability, or a greater one, are given.
THRESHOLD = 0.5


class Kind(abc.ABC):
    """What is said of a text.

    Attributes:
        name: what `DataProcessor.kind` calls it.
        label_type: what --label_type calls it.
        model_class: the class of its model in `modeling.classifiers`.
        least_labels: how many labels there must be; 0: they have no names.
        own_metrics: the names of the figures that `figures` always gives.
        has_classes: whether each text is of one class, its label; `figures`
            then gives those of `metrics.METRICS`, too, if asked.
        has_many: whether a text may have several labels.
        label_dtype: of `label_ids` in records.
    """

    name: ClassVar[str]
    label_type: ClassVar[str]
    model_class: ClassVar[str]
    least_labels: ClassVar[int]
    own_metrics: ClassVar[Sequence[str]]
    has_classes: ClassVar[bool] = False
    has_many: ClassVar[bool] = False
    label_dtype: ClassVar[Literal["int64", "float32"]] = "int64"

    @property
    def spec(self) -> spec.Spec:
        """The row in the table of tasks."""
        return spec.find("classification", self.name)

    def fields(
        self, seq_length: int, num_labels: int, windows: int = 1
    ) -> tuple[Field, ...]:
        """Returns the fields of run_classifier.py's records.

        Args:
            seq_length: the flag max_seq_length, S.
            num_labels: L.
            windows: how many sequences a text may have.
        """
        return (
            *sequence_fields(seq_length, windows),
            Field(
                "label_ids",
                num_labels if self.has_many else 1,
                self.label_dtype,
            ),
            Field("is_real_example", 1),
        )

    @abc.abstractmethod
    def read_cell(
        self, place: Place, cell: Any, column: str, separator: str
    ) -> Label:
        """Returns the label in a cell of a table.

        Args:
            place: where the cell is.
            cell: its text; in jsonl any value.
            column: the name of the cell's column.
            separator: what stands between several labels in a text.

        Raises:
            UserError: there is none of this kind.
        """

    @abc.abstractmethod
    def names_of(self, label: Any) -> Sequence[str]:
        """Returns the labels with names that an example has."""

    @abc.abstractmethod
    def label_ids(
        self, example: InputExample, numbers: Mapping[str, int]
    ) -> Sequence[float]:
        """Returns an example's label as numbers; without a label, zeros.

        Args:
            example: the example.
            numbers: of each label.

        Raises:
            UserError: its label is not one of the task's.
        """

    def balanced_weight(self, count: int, total: int, num_labels: int) -> float:
        """Returns what --class_weights=balanced means for a label.

        Args:
            count: training examples that have it, at least one.
            total: training examples.
            num_labels: L.

        Returns:
            0 where the weight is not defined.
        """
        return total / (num_labels * count)

    def make_model(
        self,
        config: "BertConfig",
        num_labels: int,
        label_weights: Sequence[float] | None = None,
        window_pooling: str | None = None,
        lm_loss_weight: float = 0.0,
        **options: "Unpack[ModelOptions]",
    ) -> "ClassifierModel":
        """Returns the model.

        Args:
            config: the encoder's sizes.
            num_labels: L; 1 where they have no names.
            label_weights: what each label counts in training; None: all the
                same.
            window_pooling: of texts in windows; see `ClassifierModel`.
            lm_loss_weight: see `ClassifierModel`.
            **options: see `ModelOptions`.
        """
        from bert.modeling import classifiers

        make: type[ClassifierModel] = getattr(classifiers, self.model_class)
        return make(
            config,
            num_labels,
            label_weights=label_weights,
            window_pooling=window_pooling or "mean",
            lm_loss_weight=lm_loss_weight,
            **options,
        )

    @abc.abstractmethod
    def losses(
        self, logits: "tf.Tensor", label_ids: "tf.Tensor"
    ) -> "tf.Tensor":
        """Returns each row's loss, float32 [B], all labels weighing the same.

        Args:
            logits: float32 [B, L].
            label_ids: as in the records.
        """

    @abc.abstractmethod
    def values(self, logits: "tf.Tensor") -> "tf.Tensor":
        """Returns probabilities, or the number; float32 [B, L]."""

    def metric_names(self, more: Sequence[str] = ()) -> list[str]:
        """Returns the names of what `figures` returns.

        Args:
            more: `DataProcessor.metric_names`.

        Raises:
            UserError: one of them is none of `metrics.METRICS`, or they do
                not go with the kind.
        """
        from bert.tasks.classification import metrics

        known = metrics.METRICS if self.has_classes else {}
        if any(name not in known for name in more):
            raise UserError(
                "metric_names of a task with one label for each text may be "
                f"{', '.join(metrics.METRICS)}; other kinds have their own "
                f"figures. Received: {', '.join(more)}, of kind {self.name}."
            )
        return [*self.own_metrics, *more]

    def figures(
        self,
        logits: "np.ndarray",
        label_ids: "np.ndarray",
        more: Sequence[str] = (),
    ) -> "dict[str, np.float32]":
        """Returns what predictions are worth; see `metrics`.

        Args:
            logits: float32 [n, L].
            label_ids: as in the records, [n, ...].
            more: see `metric_names`.
        """
        from bert.tasks.classification import metrics

        count = metrics.OF_KINDS[self.name]
        if self.has_classes:
            return count(logits, label_ids, more)
        return count(logits, label_ids)

    @abc.abstractmethod
    def prediction(self, labels: Sequence[str], values: "np.ndarray") -> Label:
        """Returns what is predicted for a row.

        Args:
            labels: what the outputs are called.
            values: the row's, [L].
        """

    def submitted(self, prediction: Label) -> str:
        """Returns a prediction as the GLUE server takes it."""
        return str(prediction)


class SingleLabel(Kind):
    """One label for each text."""

    name = "classification"
    model_class = "ClassifierModel"
    label_type = "single"
    least_labels = 2
    own_metrics = ("eval_accuracy",)
    has_classes = True

    def read_cell(self, place, cell, column, separator):
        name = label_name(place, cell)
        if not name:
            raise place.fault(
                f"a label in the column {column}, found an empty one"
            )
        return name

    def names_of(self, label):
        return [] if label is None else [label_text(label)]

    def label_ids(self, example, numbers):
        own = self.names_of(example.label)
        _check_labels(example, own, numbers)
        return [numbers[name] for name in own] or [0]

    def losses(self, logits, label_ids):
        from bert.modeling import losses

        return losses.cross_entropy(logits, label_ids)

    def values(self, logits):
        import tensorflow as tf

        return tf.nn.softmax(logits)

    def prediction(self, labels, values):
        return labels[int(values.argmax())]


class MultiLabel(Kind):
    """Any number of labels for each text."""

    name = "multi_label"
    model_class = "MultiLabelModel"
    label_type = "multi"
    least_labels = 1
    own_metrics = ("eval_accuracy", "macro_f1", "micro_f1")
    has_many = True

    def read_cell(self, place, cell, column, separator):
        return several_labels(place, cell, separator)

    def names_of(self, label):
        return [label_text(each) for each in label or ()]

    def label_ids(self, example, numbers):
        own = self.names_of(example.label)
        _check_labels(example, own, numbers)
        return [int(label in own) for label in numbers]

    def balanced_weight(self, count, total, num_labels):
        """Returns how many lack the label for each one that has it."""
        return (total - count) / count

    def losses(self, logits, label_ids):
        import tensorflow as tf

        from bert.modeling import losses

        weights = tf.ones(tf.shape(logits)[-1:])
        return losses.sigmoid_cross_entropy(logits, label_ids, weights)

    def values(self, logits):
        import tensorflow as tf

        return tf.nn.sigmoid(logits)

    def prediction(self, labels, values):
        """Returns all labels from a probability of THRESHOLD on."""
        pairs = zip(labels, values, strict=True)
        return [label for label, value in pairs if value >= THRESHOLD]


class Regression(Kind):
    """A number for each text."""

    name = "regression"
    model_class = "RegressionModel"
    label_type = "regression"
    least_labels = 0
    own_metrics = ("mean_squared_error", "pearson", "spearman")
    label_dtype = "float32"

    def read_cell(self, place, cell, column, separator):
        return rows.number(cell, place)

    def names_of(self, label):
        return []

    def label_ids(self, example, numbers):
        try:
            return [0.0 if example.label is None else float(example.label)]
        except (TypeError, ValueError) as error:
            raise UserError(
                f"Example {example.guid}: expected a number as label. "
                f"Received: {rows.shorten(example.label)}, of the text "
                f"{rows.shorten(example.text_a)}."
            ) from error

    def losses(self, logits, label_ids):
        from bert.modeling import losses

        return losses.squared_error(logits, label_ids)

    def values(self, logits):
        return logits

    def prediction(self, labels, values):
        """Returns the number, with the digits that a float32 has."""
        return float(str(values[0]))

    def submitted(self, prediction):
        """Returns the number, from 0 to 5, as STS-B has it."""
        return f"{min(max(prediction, 0.0), 5.0):.3f}"


_KINDS: Sequence[Kind] = (SingleLabel(), MultiLabel(), Regression())
BY_LABEL_TYPE: Mapping[str, Kind] = {each.label_type: each for each in _KINDS}


def find(name: str) -> Kind:
    """Returns the kind that a `DataProcessor` names.

    Raises:
        UserError: there is none of this name.
    """
    for kind in _KINDS:
        if kind.name == name:
            return kind
    raise UserError(
        "Expected a task whose kind is one of "
        f"{', '.join(each.name for each in _KINDS)}. Received: {name!r}."
    )


def label_text(label: Any) -> Any:
    """Returns a label that code gives as a whole number as its text."""
    return str(label) if type(label) is int else label


def _check_labels(
    example: InputExample, own: Sequence[str], numbers: Mapping[str, int]
) -> None:
    for label in own:
        if label not in numbers:
            raise UserError(
                f"Example {example.guid}: expected one of the labels that "
                f"get_labels() gives ({rows.some(list(numbers))}). "
                f"Received: {rows.shorten(label)}, of the text "
                f"{rows.shorten(example.text_a)}."
            )
