"""The tasks, a row each: what is known of a task without importing it.

A new task is a folder here, a script, and a row in `SPECS`. Imports nothing of
ours.
"""

import dataclasses
import importlib
from collections.abc import Collection, Mapping
from typing import Any

Option = int | float | bool | str

# What every model takes, int32 [B, S] each.
INPUTS = ("input_ids", "input_mask", "segment_ids")

# The figure that speaks for an evaluation, of each task.
FIRST_FIGURES = ("eval_accuracy", "f1", "pearson", "masked_lm_accuracy")
# Figures that do not change, and the loss that each is a mark for: where it
# stays, nothing has been learned from context.
MARKS = {"unigram_entropy": "masked_lm_loss"}

# What stands before the name of an output, of the teacher's in a record.
TEACHER_PREFIX = "teacher_"

# The second task of pre-training: next sentence (Devlin et al. 2019), sentence
# order (Lan et al. 2020), or none (Liu et al. 2019).
NEXT_SENTENCE = ("nsp", "sop", "none")
# The masks of pre-training: those of the records, or drawn whenever a record
# is trained on (Liu et al. 2019).
MASKING = ("static", "dynamic")

_POOLER = "pooler/"
_NEXT_SENTENCE = "cls/seq_relationship/"
_MASKED_LM_BIAS = "cls/predictions/output_bias"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec:
    """What is known of a task, or of one kind of it.

    Letters of shapes: B batch, S sequence, D hidden, L labels, K words kept.

    Attributes:
        task: its name in task.json and in --task.
        kind: tells apart tasks that read the same rows but say other things
            of them; None where there is one kind.
        inference: `module:class` of its `tasks.inference.Inference`.
        fine_tuning: `module:class` of its `tasks.task.FineTuningTask`; None: it
            is not fine-tuned.
        head: the checkpoint name of its head's weights [L, D]; None: no head
            of fine-tuning.
        num_outputs: L where it is fixed; None: one for each label.
        min_outputs: the fewest that make sense.
        has_labels: whether the outputs are labels that have names.
        is_pretraining: whether its heads are those of pre-training, which
            is given records; nothing need tell their words and casing.
        uses_pooler: whether the head stands on the pooler.
        has_long_texts: whether a text that is too long may be read otherwise
            than from its start.
        max_seq_length: where its script cuts by default.
        min_seq_length: the least that its script takes.
        options: what task.json keeps beside that, with the defaults for
            models of which nothing tells them.
        choices: by name, the values of the options that are one of some.
        answer_options: the options that say how to choose answers, so that
            who asks the model may say them anew.
        outputs: what an export gives, by name; all float32 but ids.
        logits: what the model says, by the names of its outputs: classes
            (one of them), choices (one of a row's sequences), labels (each or
            not), number, words (classes, of each word), tokens (one of the
            sequence). What learns it of another model compares these
            (`training.objectives.distillation`).
        optional_weights: beginnings of the names that a checkpoint may lack,
            the encoder's without its scope; what stands on them is then left
            out.
        huggingface: the class of `transformers`; None where it depends on the
            weights.
        huggingface_head: the name of the head there.
        problem_type: what config.json there calls the kind.
        unit: of its figures: 1 where 1 is perfect, 0.01 where 100 is.
    """

    task: str
    kind: str | None = None
    inference: str
    fine_tuning: str | None = None
    head: str | None = None
    num_outputs: int | None = None
    min_outputs: int = 1
    has_labels: bool = False
    is_pretraining: bool = False
    uses_pooler: bool = False
    has_long_texts: bool = False
    max_seq_length: int = 128
    min_seq_length: int = 3
    options: Mapping[str, Option] = dataclasses.field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )
    answer_options: tuple[str, ...] = ()
    outputs: Mapping[str, str]
    logits: Mapping[str, str] = dataclasses.field(default_factory=dict)
    optional_weights: tuple[str, ...] = (_POOLER,)
    huggingface: str | None = None
    huggingface_head: str = ""
    problem_type: str | None = None
    unit: float = 1.0

    @property
    def name(self) -> str:
        """What messages call it: the kind where there are several."""
        return self.kind or self.task

    @property
    def scope(self) -> str:
        """What stands before the names of its head's weights."""
        return (self.head or "").removesuffix("output_weights")

    @property
    def needed_weight(self) -> str | None:
        """What a checkpoint for it has and others lack; None: nothing."""
        return _MASKED_LM_BIAS if self.is_pretraining else self.head


def _texts(kind: str, name: str, scope: str, **others: Any) -> Spec:
    """Returns the row of a kind of classification.

    Args:
        kind: its name.
        name: of its class in `tasks.classification.inference`.
        scope: of its head.
        **others: what differs from kind to kind.
    """
    return Spec(
        task="classification",
        kind=kind,
        inference=f"bert.tasks.classification.inference:{name}",
        fine_tuning="bert.tasks.classification.finetuning:Classification",
        head=f"{scope}output_weights",
        uses_pooler=True,
        has_long_texts=True,
        optional_weights=(),
        huggingface="BertForSequenceClassification",
        huggingface_head="classifier",
        **others,
    )


# In the order in which heads are looked for in a checkpoint without task.json.
SPECS: tuple[Spec, ...] = (
    _texts(
        *("classification", "SingleLabel", ""),
        min_outputs=2,
        has_labels=True,
        outputs={"probabilities": "[B, L]: softmax", "logits": "[B, L]"},
        logits={"logits": "classes"},
        problem_type="single_label_classification",
    ),
    _texts(
        *("multi_label", "MultiLabel", "cls/multi_label/"),
        has_labels=True,
        outputs={"probabilities": "[B, L]: sigmoid", "logits": "[B, L]"},
        logits={"logits": "labels"},
        problem_type="multi_label_classification",
    ),
    _texts(
        *("regression", "Regression", "cls/regression/"),
        num_outputs=1,
        outputs={"scores": "[B, 1]", "logits": "[B, 1]"},
        logits={"logits": "number"},
        problem_type="regression",
    ),
    Spec(
        task="multiple_choice",
        inference="bert.tasks.multiple_choice.inference:MultipleChoice",
        fine_tuning="bert.tasks.multiple_choice.finetuning:MultipleChoice",
        # A classifier's: without task.json it is taken for one.
        head="output_weights",
        num_outputs=1,
        uses_pooler=True,
        outputs={"logits": "[B, 1]: the score of a text with one choice"},
        logits={"logits": "choices"},
        optional_weights=(),
        huggingface="BertForMultipleChoice",
        huggingface_head="classifier",
    ),
    Spec(
        task="squad",
        inference="bert.tasks.squad.inference:Squad",
        fine_tuning="bert.tasks.squad.finetuning:Squad",
        head="cls/squad/output_weights",
        num_outputs=2,
        max_seq_length=384,
        # The defaults of run_squad.py's flags.
        options={
            "doc_stride": 128,
            "max_query_length": 64,
            "n_best_size": 20,
            "max_answer_length": 30,
            "version_2_with_negative": False,
            "null_score_diff_threshold": 0.0,
            "answer_offsets": "words",
        },
        choices={"answer_offsets": ("words", "characters")},
        answer_options=(
            "n_best_size",
            "max_answer_length",
            "null_score_diff_threshold",
        ),
        outputs={
            "start_logits": "[B, S]; -10000 for padding",
            "end_logits": "[B, S]; -10000 for padding",
        },
        logits={"start_logits": "tokens", "end_logits": "tokens"},
        huggingface="BertForQuestionAnswering",
        huggingface_head="qa_outputs",
        unit=0.01,
    ),
    Spec(
        task="ner",
        inference="bert.tasks.tagging.inference:Tagging",
        fine_tuning="bert.tasks.tagging.finetuning:Tagging",
        head="cls/token/output_weights",
        has_labels=True,
        outputs={"probabilities": "[B, S, L]", "logits": "[B, S, L]"},
        logits={"logits": "words"},
        huggingface="BertForTokenClassification",
        huggingface_head="classifier",
    ),
    Spec(
        task="pretraining",
        inference="bert.tasks.pretraining.inference:Pretraining",
        is_pretraining=True,
        min_seq_length=1,
        outputs={
            "top_k_ids": "int32 [B, S, K]: the words for each position, best "
            "first",
            "top_k_probabilities": "[B, S, K]",
            "next_sentence_probabilities": "[B, 2]: next, random; not of a "
            "checkpoint without that head",
        },
        optional_weights=(_POOLER, _NEXT_SENTENCE),
    ),
    Spec(
        task="features",
        inference="bert.tasks.features.inference:Features",
        outputs={
            "sequence_output": "[B, S, D]: the last layer",
            "pooled_output": "[B, D]; not of a checkpoint without a pooler",
        },
    ),
)

TASKS: tuple[str, ...] = tuple(dict.fromkeys(spec.task for spec in SPECS))


def first_figure(figures: Collection[str]) -> str:
    """Returns the figure of an evaluation that speaks for it.

    Args:
        figures: the names of all; at least one.
    """
    known = [name for name in FIRST_FIGURES if name in figures]
    others = [name for name in figures if not less_is_better(name)]
    return [*known, *others, *figures][0]


def less_is_better(figure: str) -> bool:
    """Returns whether less of an evaluation's figure is better."""
    own = figure.rpartition("/")[2]  # without a task's name
    return any(part in own for part in ("loss", "error", "perplexity"))


def kinds(task: str) -> tuple[str | None, ...]:
    """Returns the kinds of a task, (None,) where there is one."""
    return tuple(spec.kind for spec in SPECS if spec.task == task)


def find(task: str, kind: str | None = None) -> Spec:
    """Returns the row of a task and kind; KeyError where there is none."""
    for spec in SPECS:
        if (spec.task, spec.kind) == (task, kind):
            return spec
    raise KeyError(f"task {task!r} of kind {kind!r}")


def load(name: str) -> Any:
    """Imports what `module:class` names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
