"""run_squad.py's flags, checked together; imports without TensorFlow."""

import dataclasses
import math

from bert.errors import UserError
from bert.tasks.config import FineTuningConfig
from bert.tasks.squad import answers, windows


@dataclasses.dataclass(frozen=True)
class Config(FineTuningConfig):
    """The values of a run's flags, by their names; checked together."""

    train_file: str | None
    predict_file: str | None
    doc_stride: int
    max_query_length: int
    n_best_size: int
    max_answer_length: int
    verbose_logging: bool
    version_2_with_negative: bool
    null_score_diff_threshold: str
    answer_offsets: str
    f1_by: str
    train_on_answer: str
    num_workers: int
    cut_padding: bool

    def __post_init__(self):
        super().__post_init__()
        if self.do_train and not self.train_file:
            raise UserError(
                "If `do_train` is True, then `train_file` must be specified."
            )
        if (self.predicts or self.evaluates) and not self.predict_file:
            flag = "do_predict" if self.do_predict else "do_eval"
            flag = flag if self.predicts else "eval_steps"
            raise UserError(
                f"If `{flag}` is given, then `predict_file` must be specified."
            )
        if self.max_seq_length <= self.max_query_length + 3:
            raise UserError(
                f"The max_seq_length ({self.max_seq_length}) must be greater "
                f"than max_query_length ({self.max_query_length}) + 3"
            )
        if self.threshold is None and not self.version_2_with_negative:
            raise UserError(
                "--null_score_diff_threshold=auto needs "
                "--version_2_with_negative: without it every question has an "
                "answer."
            )

    @property
    def course(self) -> dict[str, object]:
        """As `TaughtConfig`'s, and whether padding counts."""
        own = {"cut_padding": True} if self.cut_padding else {}
        return {**super().course, **own}

    @property
    def predicts(self) -> bool:
        """Whether predict_file is to be answered, to write or to judge it."""
        return self.do_predict or self.do_eval

    @property
    def writes_results(self) -> bool:
        """Whether to write eval_results.txt."""
        return self.do_eval or (self.do_predict and self.threshold is None)

    @property
    def evaluates(self) -> bool:
        """Whether predict_file's right answers are needed."""
        return self.writes_results or self.evaluates_in_training

    @property
    def threshold(self) -> float | None:
        """The value of --null_score_diff_threshold; None is auto."""
        text = self.null_score_diff_threshold.strip().lower()
        if text == "auto":
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise UserError(
                "--null_score_diff_threshold must be a number or auto. "
                f"Received: {self.null_score_diff_threshold!r}."
            )
        return value

    @property
    def window_settings(self) -> windows.WindowSettings:
        """How to cut paragraphs into windows."""
        return windows.WindowSettings(
            self.max_seq_length, self.doc_stride, self.max_query_length
        )

    @property
    def answer_settings(self) -> answers.AnswerSettings:
        """How to choose answers."""
        return answers.AnswerSettings(
            self.n_best_size,
            self.max_answer_length,
            self.do_lower_case,
            self.version_2_with_negative,
            self.verbose_logging,
        )
