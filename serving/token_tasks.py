"""Tasks that say something of a text's words, in windows where it is long."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from bert.data.records.packing import Packed
from bert.data.tables.conll import Sentence
from bert.data.text.tokenization import BasicTokenizer
from bert.errors import UserError
from bert.serving.prediction_task import (
    Asked,
    PredictionTask,
    fields_of,
    numbers_of,
)
from bert.serving.request_errors import UnfitError, check_finite
from bert.tasks.squad import answers
from bert.tasks.squad import examples as squad
from bert.tasks.squad import windows as squad_windows
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.windows import Window
from bert.tasks.tagging import windows as tagging


class Tagging(PredictionTask):
    """Labels of words."""

    def __init__(self, model):
        super().__init__(model)
        self._split = BasicTokenizer(do_lower_case=False).tokenize
        self._featurizer = tagging.Featurizer(
            model.tokenizer, {}, model.task.max_seq_length
        )

    def request(self, value):
        """Returns the words of a text, or of a list."""
        if isinstance(value, dict) and "tokens" in value:
            value = value["tokens"]
        elif isinstance(value, dict):
            value = value.get("text")
        if isinstance(value, str):
            return self._split(value)
        if isinstance(value, list | tuple) and all(
            isinstance(word, str) for word in value
        ):
            return list(value)
        raise UnfitError(
            'a text, or a list of words ({"text": "…"} or {"tokens": ["…"]})'
        )

    def of_line(self, line):
        """Returns the words of a line, all of it."""
        return self.request(line)

    def ask(self, requests):
        """Yields sentences with their windows."""
        for words in requests:
            windows = list(self._featurizer.features(Sentence(words, None, 0)))
            places = [np.flatnonzero(w["label_mask"]) for w in windows]
            yield Asked((words, places), [_packed(w) for w in windows])

    def answer(self, request, outputs):
        """Returns the words with their labels."""
        words, places = request
        rows = [
            each["probabilities"][own]
            for each, own in zip(outputs, places, strict=True)
        ]
        values = np.concatenate([np.zeros([0, len(self.model.labels)]), *rows])
        return {
            "tokens": words,
            "labels": [self.model.labels[i] for i in values.argmax(-1)],
            "probabilities": numbers_of(values.max(-1).astype(np.float32)),
        }


class Squad(PredictionTask):
    """Answers to questions about paragraphs."""

    def __init__(self, model):
        super().__init__(model)
        task = model.task
        options = dict(task.options)
        self._threshold = options["null_score_diff_threshold"]
        self._cut = squad_windows.Settings(
            task.max_seq_length,
            options["doc_stride"],
            options["max_query_length"],
        )
        self._choose = answers.Settings(
            options["n_best_size"],
            options["max_answer_length"],
            bool(task.do_lower_case),
            options["version_2_with_negative"],
        )
        if self._cut.max_seq_length <= self._cut.max_query_length + 3:
            raise UserError(
                "The model's max_seq_length must be greater than its "
                f"max_query_length ({self._cut.max_query_length}) + 3. "
                f"Received: {self._cut.max_seq_length}."
            )
        if model.config.type_vocab_size < 2:
            raise UserError(
                "Expected a model of two segments, a question and a context. "
                "Received: one whose type_vocab_size is 1."
            )

    def request(self, value):
        """Returns a question and the words of its context."""
        question, context = fields_of(
            value,
            ("question", "context"),
            "a question and a context, `question ||| context` or JSON",
            least=2,
        )
        words = squad.words_of(context)
        if not self.model.tokenizer.encode(context):
            raise UnfitError("a context with words")
        return question, words

    def ask(self, requests):
        """Yields questions with the windows of their contexts."""
        # The windows of a paragraph share its pieces, if its words are one
        # list.
        examples, words = [], None
        for question, own in requests:
            words = words if words == own else own
            examples.append(SquadExample("", question, words))
        windows = squad_windows.windows(
            examples, self.model.tokenizer, self._cut
        )
        for number, own in itertools.groupby(
            windows, key=lambda window: window.example_index
        ):
            own = list(own)
            yield Asked(
                (examples[number], own), [self._pack(each) for each in own]
            )

    def _pack(self, window: Window) -> Packed:
        length = len(window.query) + window.length + 3
        return _packed(
            squad_windows.features(window, self.model.tokenizer, length)
        )

    def answer(self, request, outputs):
        """Returns the best answers, as run_squad.py chooses them."""
        example, windows = request
        results = []
        for window, each in zip(windows, outputs, strict=True):
            logits = each["start_logits"], each["end_logits"]
            for values in logits:
                check_finite(values)
            raw = answers.RawResult(window.unique_id, *logits)
            results.append((window, raw))
        found = answers.answer(example, results, self._choose)
        text = found.prediction(self._threshold)
        best = next(entry for entry in found.nbest if entry.text == text)
        answer = {"text": text, "probability": best.probability}
        if found.null_odds is not None:
            answer["null_odds"] = found.null_odds
        return {**answer, "nbest": [each._asdict() for each in found.nbest]}


def _packed(features: Mapping[str, Sequence[int]]) -> Packed:
    """Returns a padded sequence without its padding."""
    length = sum(features["input_mask"])
    segments = features["segment_ids"][:length]
    return Packed(features["input_ids"][:length], segments.count(0))
