"""Fine-tuning to find the answer to a question in a paragraph."""

import copy
import dataclasses
import functools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from absl import logging

from bert.errors import UserError
from bert.model_folder import task_files
from bert.tasks import spec
from bert.tasks.record_sets import RecordSet
from bert.tasks.spec import Spec
from bert.tasks.squad import (
    answers,
    character_offsets,
    examples,
    window_workers,
    windows,
)
from bert.tasks.squad.answers import Answer
from bert.tasks.squad.config import Config
from bert.tasks.squad.examples import SquadExample
from bert.tasks.squad.windows import Window
from bert.tasks.task import FineTuningTask, Outcome, Walk

if TYPE_CHECKING:
    from bert.tasks.reports import Report

_details = logging.get_absl_logger().getChild("details")

# The original's.
_SHUFFLE_SEED = 12345

Answered = list[tuple[SquadExample, Answer]]


class Squad(FineTuningTask):
    """A run of run_squad.py.

    Args:
        config: the values of its flags.

    Attributes:
        asked: the questions to answer.
    """

    results = (
        "train.tf_record",
        "eval.tf_record",
        "predictions.json",
        "nbest_predictions.json",
        "null_odds.json",
        "eval_results.txt",
    )
    spec: Spec = spec.find("squad")
    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        # Else the softmax of the loss runs over the padding, too.
        self.cuts_padding = config.cut_padding
        # Found in the prediction where it is auto.
        self._threshold = config.threshold or 0.0
        self._train: list[SquadExample] = []
        self._num_left_out = 0
        self.asked: list[SquadExample] = []

    @property
    def input_files(self):
        return self.config.train_file, self.config.predict_file

    def data_files(self):
        num_train = len(self._train) + self._num_left_out
        files = (
            ("train", self.config.train_file, num_train),
            ("predict", self.config.predict_file, len(self.asked)),
            ("distill", self.config.distill_file, len(self.unlabelled)),
        )
        return [(name, path, rows) for name, path, rows in files if rows]

    def read(self, start):
        config = self.config
        version_2 = config.version_2_with_negative
        if config.predict_file and (config.predicts or config.evaluates):
            self.asked = examples.read_prediction_examples(
                config.predict_file,
                with_answers=config.evaluates,
                version_2_with_negative=version_2,
                answer_offsets=config.answer_offsets,
            )
        if config.train_file and config.do_train:
            self._train, self._num_left_out = examples.read_training_examples(
                config.train_file,
                version_2,
                config.answer_offsets,
                config.train_on_answer,
            )
        if config.distill_file:
            self.unlabelled = examples.read_prediction_examples(
                config.distill_file,
                with_answers=False,
                version_2_with_negative=version_2,
                answer_offsets=config.answer_offsets,
            )

    def prepare(self, prepared):
        """Checks that there are windows, and what can answer."""
        super().prepare(prepared)
        prepared.tokenizer.require_offsets()
        for path, questions in (
            (self.config.predict_file, self.asked),
            (self.config.train_file, self._train),
            (self.config.distill_file, self.unlabelled),
        ):
            if questions and not any(True for _ in self._cut(questions)):
                raise UserError(
                    f"{path}: expected paragraphs with words. Received: "
                    f"{len(questions)} questions, all with an empty context."
                )
        if self.config.answer_offsets == character_offsets.WORDS:
            self._warn_of_words(
                self.config.train_file, self._train, self._num_left_out
            )
            self._warn_of_words(self.config.predict_file, self.asked)

    def _warn_of_words(
        self,
        path: str | None,
        questions: list[SquadExample],
        num_left_out: int = 0,
    ) -> None:
        """Says how many answers of a file cannot come back exactly, if any."""
        num_lost = num_left_out + sum(
            not character_offsets.comes_back_in_words(
                example, self.prepared.tokenizer, self.config.do_lower_case
            )
            for example in questions
        )
        if num_lost:
            logging.warning(
                "%s: %d of %d answers cannot come back exactly, since answers "
                "are counted in words; --answer_offsets=characters counts "
                "characters.",
                path,
                num_lost,
                len(questions) + num_left_out,
            )

    @property
    def num_examples(self) -> int:
        """The questions to train on, as in the original: not the windows."""
        return len(self._train) + len(self.unlabelled)

    def metric_names(self):
        from bert.tasks.squad import metrics

        if not self.config.version_2_with_negative:
            return metrics.METRICS
        has_answer = [True, False]
        if self.config.evaluates:
            has_answer = [bool(each.answers) for each in self.asked]
        return metrics.metric_names_v2(has_answer)

    def make_model(self, seed=None):
        from bert.modeling.heads import SpanModel

        return SpanModel(
            self.prepared.bert_config,
            masks_padding=self.config.cut_padding,
            **self.prepared.model_options(seed),
        )

    def options(self):
        return {
            name: self._threshold
            if name == "null_score_diff_threshold"
            else getattr(self.config, name)
            for name in self.spec.options
        }

    def training_set(self):
        """Returns the questions to train on, in a new order."""
        # Always alike, as in the original: a paragraph's questions stand
        # apart.
        shuffled = list(self._train)
        random.Random(_SHUFFLE_SEED).shuffle(shuffled)
        return self._records(
            "train.tf_record",
            shuffled,
            lambda: self._cut(shuffled),
            is_training=True,
        )

    def unlabelled_set(self):
        records = self._records(
            "train.tf_record",
            self.unlabelled,
            lambda: self._cut(self.unlabelled),
            is_training=True,
        )
        no_answer = {field.name: [0] for field in records.fields}
        return dataclasses.replace(
            records,
            features=lambda: (
                {**no_answer, **own} for own in records.features()
            ),
        )

    def read_by(self, config, prepared):
        """Returns it without a second look at the examples."""
        other = copy.copy(self)
        other.config, other.prepared = config, prepared
        return other

    def log_training_size(self, source):
        from bert.data.records import record_files

        logging.info("  Num orig examples = %d", self.num_examples)
        logging.info(
            "  Num split examples = %d", record_files.num_records(source)
        )

    def evaluation(self):
        from bert.tasks.squad.inference import select

        if not self.config.evaluates:
            return None
        return Walk(
            {"": self._asked_set},
            self.config.predict_batch_size,
            select,
            lambda found: Outcome(self._judge(self.answered(found[""]))[1]),
        )

    def walks(self):
        from bert.tasks.squad.inference import select

        yield Walk(
            {"": self._asked_set},
            self.config.predict_batch_size,
            select,
            lambda found: self._write(self.answered(found[""])),
            title="***** Running predictions *****",
            sizes=[
                f"Num orig examples = {len(self.asked)}",
                f"Num split examples = {len(self._asked_windows)}",
            ],
        )

    @functools.cached_property
    def _asked_windows(self) -> list[Window]:
        """The windows of predict_file: every evaluation needs all of them."""
        return list(self._cut(self.asked))

    @functools.cached_property
    def _asked_set(self) -> RecordSet:
        return self._records(
            "eval.tf_record",
            self.asked,
            lambda: self._asked_windows,
            is_training=False,
        )

    def _cut(self, questions: list[SquadExample]) -> Iterator[Window]:
        """Yields the windows of each question's paragraph, in order."""
        return windows.windows(
            questions, self.prepared.tokenizer, self.config.window_settings
        )

    def _records(
        self,
        file: str,
        questions: list[SquadExample],
        cut: Callable[[], Iterable[Window]],
        is_training: bool,
    ) -> RecordSet:
        length = self.config.max_seq_length
        job = window_workers.Job(
            self.prepared.tokenizer, self.config.window_settings
        )
        positions = {"start_positions": length, "end_positions": length}
        return RecordSet(
            file=file,
            fields=windows.fields(length, is_training),
            features=lambda: window_workers.logged_features(
                questions, cut, job, self.config.num_workers
            ),
            inputs=lambda: map(windows.inputs, questions),
            limits=positions if is_training else {},
            settings=self.config.window_settings,
            num_logged=window_workers.LOGGED_EXAMPLES,
        )

    def answered(self, rows: Iterable[Mapping[str, Any]]) -> Answered:
        """Answers the questions, one after the other."""

        def results():
            for number, row in enumerate(rows):
                if number % 1000 == 0:
                    _details.info("Processing example: %d", number)
                yield answers.RawResult(
                    int(row["unique_ids"]),
                    row["start_logits"],
                    row["end_logits"],
                )

        return list(
            answers.answers(
                self.asked,
                self._asked_windows,
                results(),
                self.config.answer_settings,
            )
        )

    def _judge(self, found: Answered) -> tuple[float, dict[str, float]]:
        """Compares answers with the right ones.

        Returns:
            The null_score_diff_threshold, found where it is auto; and the
            figures for eval_results.txt.
        """
        from bert.tasks.squad import metrics

        f1_by = self.config.f1_by

        def judged(threshold: float) -> list[metrics.Judged]:
            return [
                metrics.Judged(
                    example.answers,
                    answer.prediction(threshold),
                    answer.text,
                    answer.null_odds or 0.0,
                )
                for example, answer in found
            ]

        threshold = self.config.threshold
        if not self.config.version_2_with_negative:
            figures = metrics.metrics(judged(self._threshold), f1_by)
            return self._threshold, figures
        if threshold is not None:
            return threshold, metrics.metrics_v2(judged(threshold), f1_by)
        threshold = metrics.best_f1_threshold(judged(0.0), f1_by)
        logging.info(
            "null_score_diff_threshold with the best F1: %s", threshold
        )
        figures = metrics.metrics_v2(judged(threshold), f1_by)
        return threshold, {**figures, "null_score_diff_threshold": threshold}

    def _write(self, found: Answered) -> Outcome:
        """Writes predict_file's answers; returns what they are worth.

        A threshold that was found is kept with the model.
        """
        from bert.tasks.squad import predictions

        figures: dict[str, float | str] = {}
        if self.config.writes_results:
            self._threshold, judged = self._judge(found)
            figures = {**judged}
            if self.config.f1_by != "words":
                figures["f1_by"] = self.config.f1_by
        predictions.write_predictions(
            self.config.output_dir,
            ((example.qas_id, answer) for example, answer in found),
            self._threshold,
            with_ranges=self.config.answer_offsets
            == character_offsets.CHARACTERS,
        )
        if self.config.threshold is None:
            task_files.update(self.config.output_dir, self.model_task)
        return Outcome(figures, {"": functools.partial(self._report, found)})

    def _report(self, found: Answered) -> "Report":
        from bert.tasks.squad import judged, report

        settings = judged.Settings(
            self._threshold,
            self.config.f1_by,
            self.config.version_2_with_negative,
        )
        pieces = {
            window.example_index: len(window.document.pieces)
            for window in self._asked_windows
        }
        return report.make(judged.judge(found, pieces, settings), settings)
