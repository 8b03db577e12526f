"""Writes the records of run_squad.py, one by one."""

import contextlib

from bert.compat.squad_types import InputFeatures
from bert.data.records import record_output
from bert.tasks.squad import windows


class FeatureWriter:
    """Writes features to a file, which is there once it is closed.

    Args:
        filename: the file.
        is_training: whether the answers are in the records.

    Attributes:
        num_features: how many have been written.
    """

    def __init__(self, filename: str, is_training: bool) -> None:
        self.filename = filename
        self.is_training = is_training
        self.num_features = 0
        self._stack = contextlib.ExitStack()
        self._file = self._stack.enter_context(
            record_output.frame_writer(filename)
        )

    def process_feature(self, feature: InputFeatures) -> None:
        """Writes a record."""
        # Here, since they import NumPy.
        import numpy as np

        from bert.data.records import record_bytes

        values = {
            "unique_ids": [feature.unique_id],
            "input_ids": feature.input_ids,
            "input_mask": feature.input_mask,
            "segment_ids": feature.segment_ids,
        }
        if self.is_training:
            values["start_positions"] = [feature.start_position or 0]
            values["end_positions"] = [feature.end_position or 0]
            values["is_impossible"] = [int(bool(feature.is_impossible))]
        fields = windows.fields(len(feature.input_ids), self.is_training)
        arrays = {name: np.array([row]) for name, row in values.items()}
        for frame in record_bytes.frames(fields, arrays):
            self._file.write(frame)
        self.num_features += 1

    def close(self) -> None:
        """Ends the file."""
        self._stack.close()
