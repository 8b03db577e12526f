"""Trained models that find the answer to a question in a paragraph.

Letters of shapes: B batch, S sequence.
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bert.errors import UserError
from bert.tasks.features import features_text
from bert.tasks.inference import (
    Arrays,
    Asked,
    Inference,
    Outputs,
    RawTexts,
    Tensors,
)
from bert.tasks.requests import UnfitError, check_finite, texts_of
from bert.tasks.squad import answers, character_offsets, windows
from bert.tasks.squad.examples import SquadExample, words_of
from bert.tasks.squad.windows import Document, Window

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.heads import SpanModel
    from bert.modeling.task_model import Batch, TaskModel


class Question(NamedTuple):
    """A request.

    Attributes:
        example: the question, with the words of its context.
        document: the context's pieces.
    """

    example: SquadExample
    document: Document


class Squad(Inference):
    """Answers to questions about paragraphs.

    Measured by the share of rows whose likeliest answer in the second segment
    is that of the original model: records of evaluation have no answers.
    """

    measure = "same_span"
    token_outputs = ("start_logits", "end_logits")

    # The context of the last request: questions about one paragraph, one after
    # the other, share its pieces.
    _context: tuple[str, SquadExample, Document] | None = None

    def make_model(self, compute_dtype: str = "float32") -> "SpanModel":
        """Returns a `SpanModel`."""
        from bert.modeling.heads import SpanModel

        return SpanModel(self.config, compute_dtype=compute_dtype)

    def outputs(self, model, batch, names):
        """Returns the logits, `answers.NO_LOGIT` for padding."""
        return mask_padding(model(batch), batch)

    def check_requests(self, folder: str) -> None:
        """Raises UserError where a question and a context do not fit in."""
        length = self.task.max_seq_length
        if length <= self._cut.max_query_length + 3:
            raise UserError(
                "The model's max_seq_length must be greater than its "
                f"max_query_length ({self._cut.max_query_length}) + 3. "
                f"Received: {length}."
            )
        if self.config.type_vocab_size < 2:
            raise UserError(
                "Expected a model of two segments, a question and a context. "
                "Received: one whose type_vocab_size is 1."
            )

    def about(self) -> dict[str, Any]:
        """Returns what a request has."""
        return {"asks": ["question", "context"]}

    def request(self, value: object) -> Question:
        """Returns a question and its context."""
        question, text = texts_of(
            value,
            ("question", "context"),
            "a question and a context, `question ||| context` or JSON",
            least=2,
        )
        context = self._context
        if context is None or context[0] != text:
            in_characters = (
                self.task.options["answer_offsets"]
                == character_offsets.CHARACTERS
            )
            words, starts = words_of(text)
            example = SquadExample(
                qas_id="",
                question_text="",
                doc_tokens=words,
                word_starts=starts,
                context=text if in_characters else None,
            )
            document = windows.make_document(example, self.tokenizer)
            context = self._context = text, example, document
        _, example, document = context
        if not document.ids:
            raise UnfitError("a context with words")
        return Question(
            dataclasses.replace(example, question_text=question), document
        )

    def request_of_line(self, line: str) -> Question:
        """Returns the question and the context of a line."""
        return self.request(tuple(features_text.split_line(line)))

    def ask(self, request: Question) -> Asked:
        """Returns the windows over a context; `answer` gets them, too."""
        own = list(
            windows.question_windows(*request, self.tokenizer, self._cut)
        )
        return Asked(
            (request.example, own),
            [windows.pack(window, self.tokenizer) for window in own],
        )

    def answer(
        self, request: tuple[SquadExample, list[Window]], outputs: Outputs
    ) -> dict[str, Any]:
        """Returns the best answers, as run_squad.py chooses them."""
        example, own = request
        results = []
        for window, each in zip(own, outputs, strict=True):
            logits = each["start_logits"], each["end_logits"]
            for values in logits:
                check_finite(values)
            raw = answers.RawResult(window.unique_id, *logits)
            results.append((window, raw))
        found = answers.answer(example, results, self._choose)
        text = found.prediction(self._threshold)
        nbest = found.nbest_with_ranges()
        best = next(entry for entry in nbest if entry["text"] == text)
        answer = {
            name: best[name] for name in ("text", "probability", "start", "end")
        }
        if found.null_odds is not None:
            answer["null_odds"] = found.null_odds
        return {**answer, "nbest": nbest}

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns a question and the start of its context, one window."""
        return {
            "serving_default": RawTexts(
                ("question", "context"), max_first=self._cut.max_query_length
            )
        }

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the likeliest start and end of each row, int [B, 2].

        In the second segment: many a model's likeliest span is [CLS], which
        tells nothing. Of a model that knows questions without an answer, int
        [B, 3]: the last says whether the row has none.
        """
        starts, ends = outputs["start_logits"], outputs["end_logits"]
        may_answer = batch["segment_ids"] == 1
        length = starts.shape[1]
        may_span = may_answer[:, :, None] & may_answer[:, None, :]
        is_after = np.triu(np.ones([length, length], bool))
        may_span &= is_after & ~np.triu(
            is_after, self._choose.max_answer_length
        )
        scores = np.where(
            may_span, starts[:, :, None] + ends[:, None, :], -np.inf
        )
        scores = scores.reshape(len(scores), -1)
        best = np.argmax(scores, axis=-1)
        found = np.divmod(best, length)
        if self._choose.version_2_with_negative:
            null_odds = starts[:, 0] + ends[:, 0] - np.max(scores, axis=-1)
            found += (null_odds > self._threshold,)
        return np.stack(found, axis=-1)

    @cached_property
    def _cut(self) -> windows.WindowSettings:
        """How contexts are cut into windows."""
        options = self.task.options
        return windows.WindowSettings(
            self.task.max_seq_length,
            int(options["doc_stride"]),
            int(options["max_query_length"]),
        )

    @property
    def _threshold(self) -> float:
        """The odds of no answer above which there is none."""
        return float(self.task.options["null_score_diff_threshold"])

    @cached_property
    def _choose(self) -> answers.AnswerSettings:
        """How answers are chosen."""
        options = self.task.options
        return answers.AnswerSettings(
            int(options["n_best_size"]),
            int(options["max_answer_length"]),
            bool(self.task.do_lower_case),
            bool(options["version_2_with_negative"]),
        )


def mask_padding(logits: Mapping[str, "tf.Tensor"], batch: "Batch") -> Tensors:
    """Returns logits [B, S] by name, `answers.NO_LOGIT` for padding.

    Exports promise this number. It is finite in float16, too.
    """
    import tensorflow as tf

    is_token = tf.cast(batch["input_mask"], tf.bool)
    return {
        name: tf.where(is_token, values, answers.NO_LOGIT)
        for name, values in logits.items()
    }


def select(
    model: "TaskModel", outputs: Mapping[str, "tf.Tensor"], batch: "Batch"
) -> Tensors:
    """Returns what `answers.RawResult` needs of each window.

    Padding gets a logit that is never among the best: how much padding there
    is depends on the other rows of a batch.
    """
    return {
        "unique_ids": batch["unique_ids"][:, 0],
        **mask_padding(outputs, batch),
    }
