"""What stands in the way of a run's results, found before any work.

Imports without TensorFlow.
"""

import os
from collections.abc import Sequence

from bert.cli.config import TrainingConfig
from bert.errors import UserError
from bert.tasks import resuming, spec
from bert.training import curves, diary


def check(
    config: TrainingConfig,
    results: Sequence[str],
    inputs: Sequence[str | None],
) -> None:
    """Looks whether a run's results can be written where they belong.

    Args:
        config: the flags' values.
        results: the names of the files that the command writes to output_dir.
        inputs: the files that it reads; None where a flag is not given.

    Raises:
        UserError: a result would replace an input, or a folder is in its
            place, or a file in that of a folder.
    """
    real = {os.path.realpath(path): path for path in inputs if path}
    for name in [
        *results,
        *resuming.fingerprints(results),
        diary.FILE_NAME,
    ]:
        path = os.path.join(config.output_dir, name)
        if os.path.realpath(path) in real:
            raise UserError(
                f"{real[os.path.realpath(path)]} would be replaced by this "
                f"command's own {name}; give another --output_dir, or move "
                "the file."
            )
        if os.path.isdir(path):
            raise UserError(
                f"Expected a file, or nothing, in the place of {path}. "
                "Received: a folder; give another --output_dir."
            )
    for name in ("best", curves.EVAL_FOLDER, *spec.MARKS):
        path = os.path.join(config.output_dir, name)
        if os.path.isfile(path):
            raise UserError(
                f"Expected a folder, or nothing, in the place of {path}. "
                "Received: a file; give another --output_dir."
            )
