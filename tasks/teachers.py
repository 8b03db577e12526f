"""--teacher_dir: a fine-tuned model, and what it says of the training set.

Its logits are computed once, without dropout, and kept:

    output_dir/ (or a folder in records_dir)
      teacher_logits.npy               float32, see `soft_targets`
      teacher_logits.npy.fingerprint   what they were made from

They are used again where teacher and examples are the same. The records that
are trained on hold them, too. TensorFlow is imported where it is used.
"""

import contextlib
import dataclasses
import functools
import gc
import hashlib
import io
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from absl import logging

from bert.data.records import record_reuse
from bert.data.records.fields import Field
from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import atomic_files, file_bytes, task_paths
from bert.tasks import record_sets, soft_targets, teacher_files
from bert.tasks.record_sets import RecordSet

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from bert.model_folder.files import ModelFiles
    from bert.modeling.task_model import TaskModel
    from bert.tasks.config import FineTuningConfig
    from bert.tasks.task import FineTuningTask, Prepared
    from bert.training.objectives.distillation import Distillation

FILE_NAME = "teacher_logits.npy"


class Teacher:
    """A fine-tuned model that another one, of the same task, learns from.

    Args:
        files: the teacher's.
        prepared: what the teacher works with.
        student: the task, prepared.
    """

    def __init__(
        self,
        files: "ModelFiles",
        prepared: "Prepared",
        student: "FineTuningTask",
    ):
        self._files = files
        self._student = student
        self._prepared = prepared
        self._task = student.read_by(_config(files, student), prepared)

    def check(self) -> None:
        """Raises UserError where its checkpoint is not of its model."""
        from bert.modeling import checkpoint
        from bert.training import head_check

        # First of all: some must be made before any operation runs.
        self._prepared.strategy()
        head_check.check_model(
            head_check.Start(checkpoint.Reader(self._files.checkpoint)),
            self._task.make_model,
            num_train_steps=0,
        )

    @functools.cached_property
    def digest(self) -> str:
        """A hash of all that decides what it says."""
        from bert.model_folder import resume_file

        files = self._files
        _, name = task_paths.split(files.checkpoint)
        vocab = files.vocab_file or ""
        return resume_file.digest(
            [
                # It has a checksum of each weight.
                file_bytes.read(task_paths.index_of(files.checkpoint)),
                file_bytes.read(files.bert_config_file),
                *map(file_bytes.read, tokenizers.kept_files(vocab).values()),
                files.task.to_json(),
                files.labels,
                *([name] if name else ()),
            ]
        )

    def lessons(self) -> RecordSet:
        """Returns what is trained on: all examples with the teacher's logits.

        The records have `has_label`, too; rows without a label come last.
        """
        labelled, unlabelled = _sets(self._student)
        soft = self._soft_targets
        return dataclasses.replace(
            labelled,
            fields=(*labelled.fields, Field("has_label", 1), *soft.fields),
            features=lambda: soft.add(
                self.logits,
                itertools.chain(
                    _marked(labelled, 1),
                    *(_marked(each, 0) for each in unlabelled),
                ),
            ),
            inputs=lambda: itertools.chain(
                [self._key], _inputs([labelled, *unlabelled])
            ),
        )

    def objective(
        self, model: "TaskModel", done: "Callable[[], tf.Tensor]"
    ) -> "Distillation":
        """Returns what a student minimizes.

        Args:
            model: the student.
            done: see `training.feeds.MakeObjective`.
        """
        from bert.training.objectives import distillation

        settings = self._student.config.teaching(done)
        return distillation.Distillation(
            model, self._student.spec.logits, settings
        )

    @functools.cached_property
    def logits(self) -> "np.ndarray":
        """What it says of all examples; see `soft_targets`.

        Ask for it the first time outside of the strategy's scope.
        """
        import numpy as np

        config = self._student.config
        folder = config.output_dir
        if config.records_dir:
            folder = record_sets.shared_folder(config.records_dir, self._key)
        path = os.path.join(folder, FILE_NAME)
        if record_reuse.current(path, self._key):
            logging.info("The teacher's logits in %s are used again", path)
            return np.load(io.BytesIO(file_bytes.read(path)))
        found = self._compute()
        if self._prepared.is_chief:
            buffer = io.BytesIO()
            np.save(buffer, found)
            content = buffer.getvalue()
            file_bytes.gfile().makedirs(folder)
            atomic_files.write_bytes(path, content)
            digest = hashlib.sha256(content).hexdigest()
            written = record_reuse.Written(len(content), digest, [])
            record_reuse.keep(path, self._key, written)
        return found

    @functools.cached_property
    def _key(self) -> str:
        """A hash of all that decides the logits."""
        sets = _all_sets(self._task)
        return record_reuse.made_from(
            self._prepared.tokenizer,
            (
                *(self.digest, self._prepared.compute_dtype),
                *(sets[0].fields, sets[0].settings, self._task.labels),
            ),
            _inputs(sets),
        )

    @functools.cached_property
    def _soft_targets(self) -> soft_targets.SoftTargets:
        task, theirs = self._student, self._files.labels
        fields = {field.name: field for field in task.training_set().fields}
        return soft_targets.make(
            task.spec.logits,
            fields["input_ids"],
            task.num_outputs,
            [theirs.index(name) for name in task.labels] if theirs else None,
        )

    def _compute(self) -> "np.ndarray":
        """Lets the teacher go through all examples."""
        import numpy as np

        from bert.data.records import record_writer
        from bert.tasks.predictions import Predictions
        from bert.training import failures, run

        size = self._student.config.predict_batch_size
        advice = (
            "--teacher_dir: the teacher takes too much for "
            f"--predict_batch_size={size} rows at a time; lower it."
        )
        sets = _all_sets(self._task)
        with (
            tempfile.TemporaryDirectory(prefix="bert-teacher-") as folder,
            self._scope(),
            failures.explained(lambda: [advice]),
        ):
            path = os.path.join(folder, "teacher.tf_record")
            features = itertools.chain.from_iterable(s.features() for s in sets)
            written = record_writer.write(path, sets[0].fields, features)
            logging.info(
                "***** The teacher's logits of %d rows, by %s *****",
                *(len(written.lengths), self._files.checkpoint),
            )
            model = self._task.make_model()
            run.load_trained(model, self._files.checkpoint, is_trained=False)
            answers = Predictions(
                model,
                record_sets.source(
                    self._prepared.bert_config,
                    [path],
                    sets[0].fields,
                    sets[0].limits,
                    lengths=written.lengths,
                ),
                size,
                self._soft_targets.select,
                self._prepared.fixed_shapes,
            )
            found = np.concatenate([*map(self._soft_targets.rows, answers)])
        # Models are part of cycles; the student needs the memory.
        del model, answers
        gc.collect()
        if not np.isfinite(found).all():
            raise UserError(
                f"--teacher_dir: {self._files.checkpoint} says of an example "
                "what is not a number; name another teacher, or "
                "--precision=float32."
            )
        return found.astype(np.float32, copy=False)

    def _scope(self) -> contextlib.AbstractContextManager[object]:
        """Several workers each do all of it: some may have it, and others not.

        In the strategy's scope they would wait for each other.
        """
        from bert.training import strategy

        with self._prepared.strategy().scope():
            has_workers = strategy.has_workers()
        if has_workers:
            return contextlib.nullcontext()
        return self._prepared.strategy().scope()


def find(task: "FineTuningTask") -> Teacher | None:
    """Returns the teacher that a command names; None where it has no part.

    Args:
        task: has read its examples, and is prepared.

    Raises:
        UserError: there is none, or it cannot teach this task.
    """
    config = task.config
    if config.is_taught:
        teacher = Teacher(*teacher_files.find(task), task)
        teacher.check()
        return teacher
    if config.teacher_dir and config.do_train:
        logging.info("--distill_alpha=0: the teacher is not asked.")
    return None


def _config(
    files: "ModelFiles", student: "FineTuningTask"
) -> "FineTuningConfig":
    """Returns the flags' values as a teacher reads the examples."""
    if "tokens" in student.spec.logits.values():
        return student.config
    task = files.task
    # Flags, by their names. A teacher only reads: what the student's flags say
    # of training and exports need not go with how it does.
    own: dict[str, Any] = {"do_export": False, "use_xla": False}
    if task.spec.has_long_texts:
        own |= {**dataclasses.asdict(task.long_texts), "lm_loss_weight": 0.0}
    return dataclasses.replace(
        student.config, max_seq_length=task.max_seq_length, **own
    )


def _sets(task: "FineTuningTask") -> tuple[RecordSet, list[RecordSet]]:
    """Returns the examples with labels, and those without, if there are any."""
    unlabelled = [task.unlabelled_set()] if task.unlabelled else []
    return task.training_set(), unlabelled


def _all_sets(task: "FineTuningTask") -> list[RecordSet]:
    labelled, unlabelled = _sets(task)
    return [labelled, *unlabelled]


def _marked(
    records: RecordSet, has_label: int
) -> Iterator[record_sets.Features]:
    for features in records.features():
        yield {**features, "has_label": [has_label]}


def _inputs(sets: Iterable[RecordSet]) -> Iterator[object]:
    """Yields what sets are made from, each with a mark before it."""
    for number, records in enumerate(sets):
        yield ("set", number)
        yield from records.inputs()
