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
    next_sentence: str | None
    max_predictions_per_seq: int
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

    @property
    def has_next_sentence(self) -> bool:
        """Whether there is the second task, with its head."""
        return self.next_sentence != "none"

    @property
    def meaning(self) -> dict[str, object]:
        """As `TrainingConfig`'s."""
        return {"next_sentence": self.next_sentence}
