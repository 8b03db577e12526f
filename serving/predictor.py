"""Answers about texts from a model that is loaded once.

    predictor = Predictor.load("/models/mrpc")
    predictor.predict(["It rained.", ("It rained.", "It was wet.")])

See docs/prediction.md.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from absl import logging

from bert.data.tables import rows
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import compressed
from bert.model_folder.given import Given
from bert.model_folder.task_files import Task
from bert.serving import loaded_model, row_batches
from bert.serving.loaded_model import LoadedModel
from bert.tasks.requests import requests_of
from bert.tasks.spec import Option

# TensorFlow is imported where it computes: other runtimes start without it.
if TYPE_CHECKING:
    from bert.serving.attention import Attention


class Predictor:
    """A loaded model; made by `load`.

    Args:
        model: the model.
        batch_size: rows that are computed together.

    Attributes:
        task: what the model is for.
        labels: its labels, in the order of their numbers.
        batch_size: rows that are computed together.
        window_size: how many requests are sorted, and in memory, at a time.
        request: returns what `answers` takes; UnfitError where it is none.
        request_of_line: likewise, of a line; `text ||| text` is a pair.
    """

    def __init__(self, model: LoadedModel, batch_size: int = 32):
        if batch_size < 1:
            raise UserError(
                f"batch_size must be at least 1. Received: {batch_size}."
            )
        self._model = model
        self._inference = model.inference
        self.batch_size = batch_size
        self.window_size = batch_size * self._inference.window_batches
        self.request = self._inference.request
        self.request_of_line = self._inference.request_of_line

    @classmethod
    def load(
        cls,
        folder: str,
        batch_size: int = 32,
        given: Given | None = None,
        task_name: str | None = None,
        runtime: str | None = None,
        precision: str | None = None,
        **options: Option,
    ) -> Self:
        """Loads a model, once for all.

        Args:
            folder: the output_dir of a training run, the folder of a
                published checkpoint, a SavedModel of export_model.py, or what
                compress_model.py wrote. A pre-training's answers as of the
                task features.
            batch_size: rows that are computed together.
            given: what the folder does not say; see `Given`.
            task_name: of a model of several tasks, which one.
            runtime: what computes the model, one of `formats.CHOICES`. None:
                TensorFlow, but what compress_model.py wrote by its only
                format.
            precision: of TensorFlow's matrix products: "float32" (None, too),
                "bfloat16" or "auto", which takes bfloat16 where
                `bert check_bfloat16` has found that labels stay.
            **options: of squad, in place of what the model keeps:
                `n_best_size`, `max_answer_length` and
                `null_score_diff_threshold`.

        Raises:
            UserError: a file is missing, or does not fit the others; the
                folder has nothing for the runtime.
        """
        folder = task_paths.join(folder, task_name)
        given = given or Given()
        if runtime is not None:
            given = dataclasses.replace(given, runtime=runtime)
        if precision is not None:
            given = dataclasses.replace(given, precision=precision)
        if given.task is None and _is_pretraining(folder, given.runtime):
            logging.info("%s is pre-trained: it answers by vectors.", folder)
            given = dataclasses.replace(given, task="features")
        model = loaded_model.load(folder, given, options)
        model.inference.check_requests(folder)
        return cls(model, batch_size)

    @property
    def task(self) -> Task:
        """What the model is for."""
        return self._inference.task

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels, in the order of their numbers."""
        return self._inference.labels

    def predict(self, texts: Sequence[Any]) -> list[dict[str, Any]]:
        """Answers texts, in their order.

        Args:
            texts: of classification and features: a text, a pair of texts
                (tuple or list), or {"text": …, "text_pair": …}; of squad: the
                pair question, context, or {"question": …, "context": …}; of
                ner: a text, a list of words, or {"text": …} or {"tokens": …};
                of multiple_choice: {"text": …, "choices": […]}.

        Returns:
            For each, of classification `label` and `probabilities` by label
            (regression: `score`; multi_label: `labels` and `probabilities`);
            of squad `text`, `probability`, `start`, `end`, `nbest` and, where
            there may be no answer, `null_odds`; of ner `tokens`, `offsets`,
            `labels` and `probabilities`; of multiple_choice `choice`, its
            number, and `probabilities`;
            of features `tokens` and, as float32 arrays, `sequence_output`
            [tokens, D] and, where the model has it, `pooled_output` [D].

        Raises:
            UserError: a text is not one of these, or the model's output is
                not a number.
        """
        return list(self.answers(self._requests(texts)))

    def attention(self, texts: Sequence[Any]) -> Iterator[list["Attention"]]:
        """Returns what the pieces of texts look at, in their order.

        Args:
            texts: as `predict` takes them.

        Returns:
            For each text its sequences: one, but of squad and ner one a
            window, of multiple_choice one a choice. A text is computed when it
            is asked for, as its numbers are many.

        Raises:
            UserError: as `predict`; or the model is an export, which does
                not give it.
        """
        graph = self._model.graph
        if graph is None:
            raise UserError(
                "Attention needs a model's checkpoint. Received: a SavedModel; "
                "load the folder that it was exported from."
            )
        from bert.serving import attention

        rows_of = [self._inference.ask(r).rows for r in self._requests(texts)]
        tokenizer = self._inference.tokenizer
        return (
            [attention.of_sequence(graph, tokenizer, row) for row in own]
            for own in rows_of
        )

    def _requests(self, texts: Sequence[Any]) -> list[Any]:
        if isinstance(texts, str | bytes | Mapping) or not _is_iterable(texts):
            raise UserError(
                "Expected a list of texts. Received: "
                f"{rows.shorten(texts)}; put it into a list."
            )
        return requests_of(texts, self.request, "texts")

    def answers(self, requests: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """Yields the answers to requests, in order, as they are computed.

        Args:
            requests: see `request`; `window_size` of them are read at a time.
        """
        requests = iter(requests)
        while window := list(itertools.islice(requests, self.window_size)):
            yield from self._answer(window)

    def _answer(self, requests: Sequence[Any]) -> Iterator[dict[str, Any]]:
        asked = [self._inference.ask(request) for request in requests]
        sequences = [row for each in asked for row in each.rows]
        outputs = row_batches.results(sequences, self.batch_size, self._compute)
        for each in asked:
            own = list(itertools.islice(outputs, len(each.rows)))
            yield self._inference.answer(each.request, own)

    def _compute(
        self, numbers: Sequence[int], inputs: row_batches.Arrays
    ) -> row_batches.Arrays:
        return self._model.compute(inputs)


def _is_iterable(value: Any) -> bool:
    try:
        iter(value)
    except TypeError:
        return False
    return True


def _is_pretraining(folder: str, runtime: str | None) -> bool:
    """Whether a folder's weights, by its task.json, are of a pre-training."""
    if compressed.format_of(folder, runtime):
        return False
    from bert.model_folder import locate

    kept = None if locate.is_saved_model(folder) else locate.task(folder)
    return kept is not None and kept.spec.is_pretraining
