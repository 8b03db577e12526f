"""run_pretraining.py's flags, checked together; imports without TensorFlow."""

import dataclasses
from typing import Any

from bert.errors import UserError
from bert.tasks.config import TaughtConfig

# Of an evaluation, less what does not change.
METRICS = (
    *("loss", "masked_lm_accuracy", "masked_lm_loss", "perplexity"),
    *("next_sentence_accuracy", "next_sentence_loss"),
)

# How masks are drawn.
MASK_FLAGS = ("masked_lm_prob", "do_whole_word_mask", "max_ngram")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(TaughtConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    eval_file: str | None
    vocab_file: str | None
    do_lower_case: bool | None
    next_sentence: str | None
    max_predictions_per_seq: int
    masking: str
    masked_lm_prob: float | None
    do_whole_word_mask: bool | None
    max_ngram: int | None
    pack_sequences: bool
    eval_batch_size: int
    num_train_steps: int
    num_warmup_steps: int
    max_eval_steps: int
    distill_top_k: int
    relation_heads: int
    teacher_layer: int | None
    # Beside other tasks, which predict (run_multitask.py); no flag of its own.
    do_predict: bool = False

    def __post_init__(self):
        super().__post_init__()
        self._check_teaching()
        uses = (self.do_eval, self.do_export, self.do_predict)
        if not (self.do_train or any(uses)):
            raise UserError(
                "At least one of --do_train, --do_eval and --do_export must be "
                "true; none is."
            )
        if self.max_predictions_per_seq > self.max_seq_length:
            raise UserError(
                "--max_predictions_per_seq is larger than --max_seq_length. "
                f"Received: {self.max_predictions_per_seq} and "
                f"{self.max_seq_length}."
            )
        if self.masking == "static" and self.mask_settings:
            name, value = next(iter(self.mask_settings.items()))
            raise UserError(
                f"--{name} needs --masking=dynamic: static masks are those of "
                f"the records. Received: --{name}={value}."
            )
        self.check_monitoring()
        self.check_metric(self.metric_names)
        if self.do_train and self.eval_file and not self.evaluates:
            raise UserError(
                "--eval_file needs --eval_steps, to evaluate while training, "
                "or --do_eval. Received: --eval_file="
                f"{self.eval_file[:80]} without them."
            )

    def _check_teaching(self) -> None:
        self._check_untaught(
            distill_top_k=self.distill_top_k != 32,
            relation_heads=self.relation_heads,
            teacher_layer=self.teacher_layer,
        )
        if self.teacher_layer and not self.relation_heads:
            raise UserError(
                "--teacher_layer needs --relation_heads: it says whose "
                "relations are learned. Received: --teacher_layer="
                f"{self.teacher_layer} without them."
            )
        if not (self.distill_top_k or self.relation_heads):
            raise UserError(
                "--distill_top_k=0 leaves nothing to learn of the teacher; "
                "give --relation_heads, or a --distill_top_k of at least 1."
            )
        if self.save_best and not self.learns_words:
            raise UserError(
                "--save_best needs masked words that are learned, which an "
                "evaluation measures. Received: --distill_alpha=1 with "
                "--distill_top_k=0, by which they are not; leave one out."
            )

    @property
    def learns_words(self) -> bool:
        """Whether masked words are learned, of labels or of a teacher."""
        is_taught_others = self.is_taught and not self.distill_top_k
        return not is_taught_others or self.distill_alpha < 1

    @property
    def mask_settings(self) -> dict[str, Any]:
        """The flags that say how masks are drawn, where they are given."""
        values = {name: getattr(self, name) for name in MASK_FLAGS}
        return {n: value for n, value in values.items() if value is not None}

    @property
    def evaluates(self) -> bool:
        """Whether the model is evaluated, while training or after it."""
        return self.do_eval or self.evaluates_in_training

    @property
    def is_watched(self) -> bool:
        """Whether a flag asks for more figures than the original has."""
        return bool(self.eval_steps or self.eval_file or self.save_best)

    @property
    def has_next_sentence(self) -> bool:
        """Whether there is the second task, with its head."""
        return self.next_sentence != "none"

    @property
    def metric_names(self) -> list[str]:
        """What --save_best may name."""
        return [
            name
            for name in METRICS
            if self.has_next_sentence or not name.startswith("next_sentence")
        ]

    @property
    def meaning(self) -> dict[str, object]:
        """As `TrainingConfig`'s."""
        return {
            "next_sentence": self.next_sentence,
            # Else the head and its moments are not trained.
            "relations_alone": not self.learns_words,
        }

    @property
    def course(self) -> dict[str, object]:
        """As `TaughtConfig`'s, and what is made of the records."""
        taught = ("distill_top_k", "relation_heads", "teacher_layer")
        return {
            **super().course,
            **{name: getattr(self, name) for name in taught if self.is_taught},
            "masking": self.masking,
            "pack_sequences": self.pack_sequences,
            **self.mask_settings,
        }
