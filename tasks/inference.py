"""What a trained model of a task is, what it is asked, and what it answers.

Each task, and each kind of one, has a subclass of `Inference` in its folder,
`tasks/<task>/inference.py`, which its row in `tasks.spec` names. A model has
four sides, each with a user of its own in `serving`:

    make_model, outputs             weights → a graph of ids     graphs
    request, ask, answer            requests → rows → answers    predictor
    raw_strings                     the graph of texts           raw_text
    fields, labels_of,              records → how good a model   eval_batches
    predictions, quality            is, or its compressed form

Imports without TensorFlow: other runtimes answer requests, too, and start in a
fraction of its time. What makes graphs imports it where it is used; so do the
tasks. Letters of shapes: B batch, S sequence, L labels, n predictions in all.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bert.data.records import fields as record_fields
from bert.data.records import packing
from bert.data.records.fields import Field
from bert.data.records.packing import Packed
from bert.data.text.tokenization import FullTokenizer
from bert.model_folder.files import ModelFiles
from bert.model_folder.task_files import Task
from bert.modeling.config import BertConfig, read_config
from bert.tasks import spec
from bert.tasks.spec import Spec

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.task_model import Batch, TaskModel

Tensors = dict[str, "tf.Tensor"]
Arrays = Mapping[str, np.ndarray]
# Of each sequence of a request.
Outputs = Sequence[Arrays]


class Asked(NamedTuple):
    """A request on its way through the model.

    Attributes:
        request: what `answer` needs to know of it.
        rows: the sequences that the model must see, any number.
    """

    request: Any
    rows: Sequence[Packed]


class RawTexts(NamedTuple):
    """What a signature of the raw-string export takes, string [B] each.

    Attributes:
        names: of one or two texts.
        max_first: how many pieces of the first text are kept, the second one
            fills the rest; None: the longer one of both is cut.
    """

    names: tuple[str, ...]
    max_first: int | None = None


class OptionalOutput(NamedTuple):
    """An output that some checkpoints have no weights for.

    Attributes:
        weights: beginnings of the names of the weights that it needs, those
            of the encoder without its scope.
        missing: the rest of the warning `<checkpoint> …` where it has none.
    """

    weights: tuple[str, ...]
    missing: str


class Inference:
    """A trained model of a task; the base of all tasks.

    Args:
        task: what the model is for.
        config: the encoder's sizes.
        labels: in the order of their numbers; none where a task has none.
        tokenizer: makes ids of texts; None where nobody asks the model.
        top_k: words to give for each position, where a task gives words.

    Attributes:
        measure: the name of what `quality` returns.
        token_outputs: the outputs with an entry for each token, [B, S, ...].
        optional_outputs: those that a checkpoint may have no weights for.
        window_batches: how many batches of outputs may wait in memory.
        exports_encoder: whether an export has the trainable encoder, too.
        no_raw_strings: why there is no raw-string export, if there is none.
    """

    measure: ClassVar[str]
    token_outputs: ClassVar[tuple[str, ...]] = ()
    optional_outputs: ClassVar[Mapping[str, OptionalOutput]] = {}
    window_batches: ClassVar[int] = 32
    exports_encoder: ClassVar[bool] = False
    no_raw_strings: ClassVar[str | None] = None

    def __init__(
        self,
        task: Task,
        config: BertConfig,
        labels: Sequence[str] = (),
        tokenizer: FullTokenizer | None = None,
        top_k: int = 1,
    ):
        self.task = task
        self.config = config
        self.labels = tuple(labels)
        self.top_k = top_k
        self._tokenizer = tokenizer

    @property
    def spec(self) -> Spec:
        """The task's row."""
        return spec.find(self.task.task, self.task.kind)

    @property
    def tokenizer(self) -> FullTokenizer:
        """What makes ids of texts; ValueError where there is none."""
        if self._tokenizer is None:
            raise ValueError("Expected a tokenizer. Received: none.")
        return self._tokenizer

    @cached_property
    def special(self) -> packing.SpecialIds:
        """The ids of [CLS] and [SEP]."""
        return packing.SpecialIds.from_vocab(self.tokenizer.vocab)

    # The graph of ids.

    def make_model(self, compute_dtype: str = "float32") -> "TaskModel":
        """Returns the model, its weights not yet loaded.

        Args:
            compute_dtype: see `ModelOptions`.
        """
        raise NotImplementedError

    def outputs(
        self, model: "TaskModel", batch: "Batch", names: Collection[str]
    ) -> Tensors:
        """Computes what an export gives.

        Args:
            model: of `make_model`.
            batch: `spec.INPUTS`, int32 [B, S] each.
            names: of the outputs to give: the spec's, without those of the
                optional ones that the checkpoint has no weights for.
        """
        raise NotImplementedError

    # Requests.

    def check_requests(self, folder: str) -> None:
        """Makes sure that the model can be asked.

        Args:
            folder: where it is from; for the message.

        Raises:
            UserError: it cannot.
        """

    def about(self) -> dict[str, Any]:
        """Returns what a client must know to ask, as JSON can write it.

        `asks`, the names in a request's object; and what a task's answers
        are to be read with.
        """
        return {"asks": ["text"]}

    def request(self, value: object) -> Any:
        """Returns a request, checked.

        Args:
            value: what the user gave: a text, some texts, or a dict.

        Raises:
            UnfitError: it is not one of this task's.
        """
        raise NotImplementedError

    def request_of_line(self, line: str) -> Any:
        """Returns the request that a line of text is; raises as `request`."""
        return self.request(line)

    def ask(self, request: Any) -> Asked:
        """Returns the sequences of a request."""
        raise NotImplementedError

    def answer(self, request: Any, outputs: Outputs) -> dict[str, Any]:
        """Returns the answer to a request.

        Args:
            request: `Asked.request`.
            outputs: of each of its sequences. In an output of tokens, what is
                beyond the end of the sequence is padding.

        Raises:
            UserError: an output is not a number.
        """
        raise NotImplementedError

    # The graph of texts.

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns what the raw-string export takes, by signature."""
        return {"serving_default": RawTexts(("text",))}

    # Figures: how good a model's outputs are.

    def fields(self, seq_length: int) -> Sequence[Field]:
        """Returns the fields that records must have to measure with them.

        Args:
            seq_length: how many ids a record has.
        """
        return record_fields.sequence_fields(seq_length)

    @property
    def num_label_ids(self) -> int | None:
        """What `label_ids` of records must be below; None: there are none."""
        return None

    def labels_of(self, batch: Arrays) -> np.ndarray | None:
        """Returns the predictions that would be right.

        None where this task's models are measured without labels: then the
        predictions of the original model count as right.

        Args:
            batch: `fields`, of a batch of records.
        """
        return None

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns what is predicted for a batch, [n, ...].

        Args:
            outputs: as an export gives them.
            batch: `fields`.
        """
        raise NotImplementedError

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns how good predictions are, 1 at best.

        Args:
            found: the `predictions` of all batches.
            expected: what would be right.
        """
        return share_of_same(found, expected)

    def agreement(self, found: np.ndarray, others: np.ndarray) -> float:
        """Returns how often two models say the same, 0 to 1.

        Args:
            found: the `predictions` of all batches.
            others: those of the other model.
        """
        return share_of_same(self.said(found), self.said(others))

    def said(self, found: np.ndarray) -> np.ndarray:
        """Returns what users are told of `predictions`: labels, if any."""
        return found


def share_of_same(found: np.ndarray, expected: np.ndarray) -> float:
    """Returns the share of rows that are the same in arrays [n, ...]."""
    same = (found == expected).reshape(len(found), -1)
    return float(np.mean(np.all(same, axis=-1)))


def class_of(task: Task) -> type[Inference]:
    """Returns the class that a task's row names."""
    return spec.load(spec.find(task.task, task.kind).inference)


def make(
    source: ModelFiles, tokenizer: FullTokenizer | None = None, top_k: int = 1
) -> Inference:
    """Returns a model's `Inference`.

    Args:
        source: the model's files.
        tokenizer: see `Inference`.
        top_k: see `Inference`.
    """
    config = read_config(source.bert_config_file)
    return class_of(source.task)(
        source.task, config, source.labels, tokenizer, top_k
    )
