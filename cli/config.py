"""Flags, read and checked together: a script's configuration.

A configuration is a frozen dataclass, derived from FlagConfig, with a field for
each flag. Imports without TensorFlow.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any, Self

from absl import flags

from bert.errors import UserError
from bert.files import flag_paths, task_paths

# How the names of flags end that are paths.
_PATHS = ("_file", "_dir", "checkpoint", "distill_data")
# Those of folders that a command writes.
_WRITTEN = ("output_dir", "export_dir", "records_dir")


@dataclasses.dataclass(frozen=True)
class FlagConfig:
    """A configuration whose fields have the names of flags."""

    @classmethod
    def from_flags(cls, flag_values: flags.FlagValues) -> Self:
        """Reads it from parsed flags; see `read_fields`.

        Raises:
            UserError: flags contradict one another.
        """
        return cls(**read_fields(cls, flag_values))


def read_fields(cls: Any, flag_values: flags.FlagValues) -> dict[str, Any]:
    """Returns the value of each of a dataclass's fields.

    That of the flag of its name. A field without a flag that is a dataclass
    itself is read likewise; any other keeps its default. A model_dir names the
    task that --task_name does. One with metadata
    checks its paths itself.

    Args:
        cls: the dataclass.
        flag_values: parsed flags.

    Raises:
        UserError: a path has a scheme that is not known, or what is to be
            written would hide a model's task.
    """
    values = {}
    for field in dataclasses.fields(cls):
        kind: Any = field.type
        if field.name in flag_values:
            value = values[field.name] = flag_values[field.name].value
            is_path = field.name.endswith(_PATHS) and not field.metadata
            if isinstance(value, str) and is_path:
                flag_paths.check_scheme(value, field.name)
                if field.name in _WRITTEN:
                    task_paths.check_new_folder(value, field.name)
                if field.name == "model_dir" and "task_name" in flag_values:
                    task = flag_values["task_name"].value
                    values["model_dir"] = task_paths.join(value, task)
        elif dataclasses.is_dataclass(field.type):
            values[field.name] = kind(**read_fields(kind, flag_values))
    return values


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceConfig(FlagConfig):
    """What a run runs on, and in which precision.

    Scripts add fields of their own. `cli/shared_flags.py` says what each
    means.
    """

    distribution_strategy: str
    num_gpus: int | None
    precision: str
    use_tpu: bool
    tpu_name: str | None
    tpu_zone: str | None
    gcp_project: str | None

    @property
    def compute_dtype(self) -> str:
        """What the matrix products are computed in."""
        return "float32" if self.precision == "tf32" else self.precision

    @classmethod
    def from_flags(cls, flag_values: flags.FlagValues) -> Self:
        """Reads it from parsed flags; --master stands in for --tpu_name."""
        values = read_fields(cls, flag_values)
        values["tpu_name"] = flag_values.tpu_name or flag_values.master
        return cls(**values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(DeviceConfig):
    """What all training scripts take."""

    bert_config_file: str
    output_dir: str
    init_checkpoint: str | None
    do_train: bool
    do_eval: bool
    max_seq_length: int
    train_batch_size: int
    learning_rate: float
    learning_rate_schedule: str
    optimizer: str
    weight_decay: float
    adam_epsilon: float
    adam_bias_correction: bool
    max_grad_norm: float
    gradient_accumulation_steps: int
    recompute_activations: bool
    use_xla: bool
    save_checkpoints_steps: int
    random_seed: int | None
    do_export: bool
    export_dir: str | None
    eval_report: bool = True
    checkpoint: str | None = None
    log_steps: int = 100
    layerwise_lr_decay: float = 1.0
    keep_checkpoint_max: int = 5
    save_optimizer: str = "all"
    force_resume: bool = False
    eval_steps: int | None = None
    save_best: str | None = None
    early_stopping_patience: int | None = None
    # Scripts that fine-tune have flags for these.
    freeze_layers: int | None = None
    grow_labels: bool = False
    attention_mask: str | None = None
    # None: all examples at a time; a script may lack the flag.
    shuffle_buffer_size: int | None = None

    def __post_init__(self):
        if not (self.do_train and self.checkpoint is not None):
            return
        uses = (self.do_eval, getattr(self, "do_predict", False))
        if not any((*uses, self.do_export)):
            raise UserError(
                "--checkpoint says which weights are evaluated, predicted with "
                f"or exported. Received: --checkpoint={self.checkpoint} for a "
                "command that only trains; to start from a checkpoint, name it "
                "in --init_checkpoint."
            )
        if self.checkpoint not in ("best", "newest"):
            raise UserError(
                "--checkpoint of a command that trains must be best or newest. "
                f"Received: {self.checkpoint}; use other weights in a command "
                "of their own, and start from them by --init_checkpoint."
            )

    def check_monitoring(self) -> None:
        """Raises UserError where one of its flags lacks another."""
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

    def check_metric(self, names: Sequence[str]) -> None:
        """Raises UserError where --save_best is none of a task's metrics."""
        if self.save_best is not None and self.save_best not in names:
            raise UserError(
                "--save_best must be one of the metrics "
                f"{', '.join(sorted(names))}. Received: {self.save_best!r}."
            )

    @property
    def evaluates_in_training(self) -> bool:
        """Whether the model is evaluated while it trains."""
        return self.do_train and self.eval_steps is not None

    @property
    def needs_moments(self) -> bool:
        """Whether a run goes on only where the checkpoint has Adam's moments.

        Otherwise they start at zero.
        """
        return self.save_optimizer != "none" and not self.force_resume

    @property
    def meaning(self) -> dict[str, object]:
        """What else of a script's own a run that goes on may not change."""
        return {}

    @property
    def course(self) -> dict[str, object]:
        """What a run that goes on may change, by flag; it is told then."""
        names = (
            *("train_batch_size", "learning_rate", "layerwise_lr_decay"),
            "max_seq_length",
            *("num_train_epochs", "num_train_steps"),  # a script has one
        )
        return {n: getattr(self, n) for n in names if hasattr(self, n)}

    @property
    def most_sequences(self) -> int:
        """How many sequences a row may have."""
        return 1

    @property
    def writes_reports(self) -> bool:
        """Whether an evaluation, of the trained model, gets a report."""
        return self.do_eval and self.eval_report

    @property
    def export_folder(self) -> str:
        """Where --do_export writes."""
        return self.export_dir or os.path.join(self.output_dir, "export")
