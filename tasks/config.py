"""The flags that all scripts that fine-tune share, read and checked together.

Imports without TensorFlow.
"""

import dataclasses
import os
from collections.abc import Sequence

from bert.cli.config import TrainingConfig
from bert.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class FineTuningConfig(TrainingConfig):
    """The values of the flags that all tasks share, by their names."""

    vocab_file: str
    do_lower_case: bool
    do_predict: bool
    predict_batch_size: int
    num_train_epochs: float
    warmup_proportion: float
    length_buckets: bool
    records_dir: str | None = None

    def __post_init__(self):
        does = (self.do_train, self.do_eval, self.do_predict, self.do_export)
        if not any(does):
            raise UserError(
                "At least one of --do_train, --do_eval, --do_predict and "
                "--do_export must be true; none is."
            )
        if self.do_train and self.save_best and not self.eval_steps:
            raise UserError(
                "--save_best needs --eval_steps: how often to look for "
                "something better."
            )
        if self.early_stopping_patience and self.save_best is None:
            raise UserError(
                "--early_stopping_patience needs --save_best: the metric that "
                "is to get better."
            )

    @property
    def evaluates_in_training(self) -> bool:
        """Whether the model is evaluated while it trains."""
        return self.do_train and self.eval_steps is not None

    @property
    def needed_sets(self) -> list[str]:
        """The sets that the do_* flags ask for: train, dev, test."""
        asked = {
            "train": self.do_train,
            "dev": self.do_eval or self.evaluates_in_training,
            "test": self.do_predict,
        }
        return [name for name, is_needed in asked.items() if is_needed]

    def check_metric(self, names: Sequence[str]) -> None:
        """Raises UserError where --save_best is none of a task's metrics."""
        if self.save_best is not None and self.save_best not in names:
            raise UserError(
                "--save_best must be one of the metrics "
                f"{', '.join(sorted(names))}. Received: {self.save_best!r}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetsConfig(FineTuningConfig):
    """The flags of tasks that read a training, a dev and a test set."""

    data_dir: str | None
    train_file: str | None
    dev_file: str | None
    test_file: str | None
    eval_batch_size: int

    def set_file(self, name: str, default: str) -> str:
        """Returns where a set is: --<name>_file, else a file in --data_dir.

        Args:
            name: train, dev or test.
            default: the file's name in data_dir.

        Raises:
            UserError: no flag says where.
        """
        path: str | None = getattr(self, f"{name}_file")
        if path:
            return path
        if self.data_dir:
            return os.path.join(self.data_dir, default)
        raise UserError(
            f"--{name}_file must be given, or --data_dir, the folder with "
            f"{default}."
        )
