"""run_multitask.py's flags, checked together.

Imports without TensorFlow.
"""

import dataclasses

from bert.errors import UserError
from bert.tasks.config import FineTuningConfig


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
        if self.teacher_dir:
            raise UserError(
                "--teacher_dir is for one task: give it, and --distill_*, to "
                'the task in the file of --tasks, as its key "teacher_dir".'
            )
        if self.do_export:
            raise UserError(
                "--do_export is for models of one task; export each by "
                "export_model.py --model_dir=OUTPUT_DIR --task_name=NAME."
            )
