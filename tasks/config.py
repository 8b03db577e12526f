"""The flags that all scripts that fine-tune share, read and checked together.

Imports without TensorFlow.
"""

import dataclasses
import os
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.files import task_paths, text_input

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.training.objectives.distillation import Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaughtConfig(TrainingConfig):
    """The flags of training that may have a teacher."""

    teacher_dir: str | None = None
    distill_alpha: float = 0.5
    distill_temperature: float = 1.0
    teacher_annealing: bool = False

    def __post_init__(self):
        super().__post_init__()
        if not self.teacher_dir:
            self._check_untaught(
                distill_alpha=self.distill_alpha != 0.5,
                distill_temperature=self.distill_temperature != 1,
                teacher_annealing=self.teacher_annealing,
            )
            return
        if self.teacher_annealing and self.distill_alpha != 0.5:
            raise UserError(
                "--teacher_annealing lets the share of the teacher fall from 1 "
                f"to 0. Received: --distill_alpha={self.distill_alpha}, too; "
                "leave one of them out."
            )
        self.check_teacher(self.output_dir)

    def check_teacher(self, output_dir: str) -> None:
        """Raises UserError where a training changes the teacher.

        Args:
            output_dir: what the training writes to.
        """
        own = os.path.realpath(output_dir)
        # Of a model of several tasks, one may be named.
        folder, _ = task_paths.split(self.teacher_dir or "")
        teacher = os.path.realpath(folder)
        if self.teacher_dir and os.path.commonpath([own, teacher]) == own:
            raise UserError(
                f"--teacher_dir={self.teacher_dir} is in --output_dir="
                f"{output_dir}, where training changes it; name another "
                "--output_dir."
            )

    def teaching(self, done: "Callable[[], tf.Tensor]") -> "Settings":
        """Returns how the teacher's loss is mixed with the task's own.

        Args:
            done: see `training.feeds.MakeObjective`.
        """
        from bert.training.objectives.distillation import Settings, annealed

        alpha = annealed(done) if self.teacher_annealing else self.distill_alpha
        return Settings(alpha, self.distill_temperature)

    def _check_untaught(self, **given: object) -> None:
        """Raises UserError for a flag that is given without a teacher."""
        for name, is_given in given.items():
            if is_given and not self.teacher_dir:
                raise UserError(
                    f"--{name} needs --teacher_dir: the model to learn from. "
                    f"Received: --{name}={getattr(self, name)} without one."
                )

    @property
    def is_taught(self) -> bool:
        """Whether the command trains with a teacher."""
        return bool(
            self.do_train and self.teacher_dir and self.distill_alpha > 0
        )

    @property
    def course(self) -> dict[str, object]:
        """What a run that goes on may change, and distillation."""
        names = ["distill_alpha", "distill_temperature"]
        names += ["teacher_annealing"] * self.teacher_annealing
        taught = {n: getattr(self, n) for n in names if self.is_taught}
        return {**super().course, **taught}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FineTuningConfig(TaughtConfig):
    """The values of the flags that all tasks share, by their names."""

    vocab_file: str
    do_lower_case: bool
    do_predict: bool
    predict_batch_size: int
    num_train_epochs: float
    warmup_proportion: float
    length_buckets: bool
    records_dir: str | None = None
    distill_data: str | None = None

    def __post_init__(self):
        super().__post_init__()
        self._check_unlabelled()
        does = (self.do_train, self.do_eval, self.do_predict, self.do_export)
        if not any(does):
            raise UserError(
                "At least one of --do_train, --do_eval, --do_predict and "
                "--do_export must be true; none is."
            )
        self.check_monitoring()
        if self.grow_labels and not (self.do_train and self.init_checkpoint):
            raise UserError(
                "--grow_labels needs --do_train and --init_checkpoint: the "
                "model whose labels are kept, and trained with new ones."
            )
        own = (self.init_checkpoint or "").removesuffix("/")
        folders = (own, os.path.dirname(own))
        if self.grow_labels and self.output_dir.removesuffix("/") in folders:
            raise UserError(
                "--grow_labels begins a new run, and the labels of one that "
                "goes on are given. Received: --init_checkpoint in "
                f"--output_dir={self.output_dir}; name another --output_dir."
            )

    def _check_unlabelled(self) -> None:
        self._check_untaught(distill_data=self.distill_data)
        if self.distill_data and self.distill_alpha == 0:
            raise UserError(
                "--distill_data has rows without labels, of which nothing is "
                "learned without the teacher. Received: --distill_alpha=0; "
                "leave one of them out."
            )

    @property
    def distill_file(self) -> str | None:
        """The file of rows without labels to learn of, if any."""
        return self.distill_data if self.is_taught else None

    @property
    def needed_sets(self) -> list[str]:
        """The sets that the do_* flags ask for: train, dev, test."""
        asked = {
            "train": self.do_train,
            "dev": self.do_eval or self.evaluates_in_training,
            "test": self.do_predict,
        }
        return [name for name, is_needed in asked.items() if is_needed]


def format_of(
    paths: Iterable[str | None],
    formats: Collection[str],
    advice: str = "or --task_name to say what they are",
) -> str:
    """Returns what the endings of files say of their format.

    Args:
        paths: those that flags name; None where one does not.
        formats: endings.
        advice: what else one may do.

    Raises:
        UserError: they say none of them, or several.
    """
    names = [text_input.unpacked_name(path) for path in paths if path]
    endings = {name.rpartition(".")[2].lower() for name in names}
    if len(endings) == 1 and endings <= {*formats}:
        return endings.pop()
    raise UserError(
        f"Expected files that end in one of .{', .'.join(formats)}, "
        f"{advice}. Received: {', '.join(names)}."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetsConfig(FineTuningConfig):
    """The flags of tasks that read a training, a dev and a test set."""

    data_dir: str | None
    train_file: str | None
    dev_file: str | None
    test_file: str | None
    eval_batch_size: int
    dev_fraction: float | None
    folds: int | None
    split_seed: int
    # Not a flag: which of the folds a run is, from 1.
    fold: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.dev_fraction is not None and not 0 < self.dev_fraction < 1:
            raise UserError(
                "--dev_fraction must be above 0 and below 1: the share of the "
                "training file's rows to evaluate on. Received: "
                f"{self.dev_fraction}."
            )
        if self.folds is not None:
            self._check_folds(self.folds)
        if self.is_split and self.dev_file:
            raise UserError(
                f"{self.split_flag} takes the rows to evaluate on from the "
                f"training file. Received: --dev_file={self.dev_file}, too; "
                "leave one of them out."
            )

    def _check_folds(self, folds: int) -> None:
        if folds < 2:
            raise UserError(
                "--folds must be at least 2, the parts that are evaluated in "
                f"turn. Received: {folds}."
            )
        if self.dev_fraction is not None:
            raise UserError(
                "--folds and --dev_fraction both say what to evaluate on; "
                f"leave one of them out. Received: --folds={folds}, "
                f"--dev_fraction={self.dev_fraction}."
            )
        if not (self.do_train and self.do_eval):
            raise UserError(
                "--folds needs --do_train and --do_eval: each fold is trained "
                "without, and then evaluated on."
            )
        if self.do_predict or self.do_export:
            flag = "--do_predict" if self.do_predict else "--do_export"
            raise UserError(
                f"--folds={folds} leaves {folds} models that say how good one "
                f"of all rows will be, and none for {flag}; train that one "
                "without --folds, in another --output_dir."
            )

    @property
    def is_split(self) -> bool:
        """Whether the training file also holds what is evaluated."""
        return self.dev_fraction is not None or self.folds is not None

    @property
    def divides(self) -> bool:
        """Whether the command needs what is in the training file."""
        return self.is_split and "train" in self.needed_files

    @property
    def split_flag(self) -> str:
        """The flag that says so, with its value."""
        if self.folds:
            return f"--folds={self.folds}"
        return f"--dev_fraction={self.dev_fraction}"

    @property
    def split_shares(self) -> list[float]:
        """What is always trained on, and each part that is held out."""
        if self.folds:
            return [0, *[1 / self.folds] * self.folds]
        fraction = self.dev_fraction or 0
        return [1 - fraction, fraction]

    @property
    def split_folder(self) -> str:
        """Where split.json is kept: around the folders of folds."""
        if self.fold:
            return os.path.dirname(self.output_dir)
        return self.output_dir

    @property
    def needed_files(self) -> list[str]:
        """Those of `needed_sets` that have a file of their own."""
        sets = self.needed_sets
        if not self.is_split or "dev" not in sets:
            return sets
        return ["train", *(name for name in sets if name == "test")]

    def file_set(self, name: str) -> str:
        """Returns the set in whose file a set stands."""
        return "train" if name == "dev" and self.is_split else name

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
