"""run_multitask.py's flags, checked together.

Imports without TensorFlow.
"""

import dataclasses
from collections.abc import Mapping

from bert.errors import UserError
from bert.tasks.config import FineTuningConfig, TaughtConfig
from bert.tasks.multitask.listed import naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(FineTuningConfig):
    """The values of the flags, by their names."""

    tasks: str
    data_dir: str | None
    eval_batch_size: int
    task_sampling: str
    task_weights: str | None

    def __post_init__(self):
        super().__post_init__()
        self._check_untaught(teacher_dir=self.teacher_dir)
        if self.do_export:
            raise UserError(
                "--do_export is for models of one task; export each by "
                "export_model.py --model_dir=OUTPUT_DIR --task_name=NAME."
            )

    def _check_untaught(self, **given: object) -> None:
        # The teachers that --teacher_annealing needs are in the file.
        for name in given:
            if given[name] and name != "teacher_annealing":
                raise UserError(
                    f"--{name} is for one task: give it to the task in the "
                    f'file of --tasks, as its key "{name}".'
                )

    def check_teachers(self, tasks: Mapping[str, TaughtConfig]) -> None:
        """Checks the teachers of the tasks.

        Args:
            tasks: their own flags' values, by name.

        Raises:
            UserError: --teacher_annealing is given, and there is none; or one
                is in output_dir.
        """
        if self.teacher_annealing and not any(
            task.teacher_dir for task in tasks.values()
        ):
            raise UserError(
                '--teacher_annealing needs a task with the key "teacher_dir" '
                f"in {self.tasks}: the model that it learns from. Received: "
                "none."
            )
        for name, task in tasks.items():
            with naming(name):
                task.check_teacher(self.output_dir)
