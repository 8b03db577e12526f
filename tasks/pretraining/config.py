"""run_pretraining.py's flags, checked together; imports without TensorFlow."""

import dataclasses

from bert.cli.config import TrainingConfig
from bert.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    vocab_file: str | None
    do_lower_case: bool | None
    max_predictions_per_seq: int
    masking: str
    masked_lm_prob: float | None
    do_whole_word_mask: bool | None
    pack_sequences: bool
    eval_batch_size: int
    num_train_steps: int
    num_warmup_steps: int
    max_eval_steps: int

    def __post_init__(self):
        super().__post_init__()
        if not (self.do_train or self.do_eval or self.do_export):
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
        self._check_masking()

    @property
    def objectives(self) -> list[tuple[str, object]]:
        """What is made of the records, where it is not the original's."""
        values = (
            *(("masking", "static"), ("pack_sequences", False)),
            *(("masked_lm_prob", None), ("do_whole_word_mask", None)),
        )
        return [
            (name, getattr(self, name))
            for name, original in values
            if getattr(self, name) != original
        ]

    def _check_masking(self) -> None:
        share = self.masked_lm_prob
        if self.masking == "static":
            for name in ("masked_lm_prob", "do_whole_word_mask"):
                if getattr(self, name) is not None:
                    raise UserError(
                        f"--{name} goes with --masking=dynamic: the masks are "
                        "those of the records. Received: "
                        f"--{name}={getattr(self, name)}."
                    )
        if share is not None and not 0 < share <= 1:
            raise UserError(
                "--masked_lm_prob must be above 0 and at most 1. "
                f"Received: {share}."
            )
