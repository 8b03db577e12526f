"""The tensors of one checkpoint, by name.

Names, shapes and types are read without TensorFlow, the values by it.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from bert.errors import UserError, one_line
from bert.files import task_paths
from bert.modeling import (
    checkpoint_index,
    checkpoint_names,
    checkpoint_paths,
    weight_values,
)
from bert.modeling.checkpoint_index import Entry
from bert.modeling.checkpoint_names import GLOBAL_STEP

_MASKED_LM = "cls/predictions/"
# The names in a checkpoint of TensorFlow's objects, such as a SavedModel's.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class Reader:
    """The tensors of one checkpoint, by name.

    Args:
        path: what `checkpoint_paths.resolve` takes. Where it names a task,
            the tensors are the encoder's and that task's, by the names that
            they have in a model of that task alone.

    Attributes:
        prefix: the checkpoint's.
        shapes: of its tensors, by their names.
        dtypes: likewise: float32, int64, string, ….

    Raises:
        UserError: there is no checkpoint, or it cannot be read, or it is one
            of TensorFlow's objects but no SavedModel of ours.
    """

    def __init__(self, path: str):
        self.prefix = checkpoint_paths.resolve(path)
        self._files, task = task_paths.split(self.prefix)
        entries = self._entries()
        self._keys = {name: name for name in entries}
        with _reading(self.prefix):
            if _OBJECT_GRAPH in entries:
                self._keys = self._keys_of_objects()
            if task:
                self._keys = _keys_of_task(self._keys, task, self.prefix)
            own = {name: entries[key] for name, key in self._keys.items()}
        self.shapes = {name: entry.shape for name, entry in own.items()}
        self.dtypes = {name: entry.dtype for name, entry in own.items()}

    @functools.cached_property
    def _reader(self) -> Any:
        """TensorFlow's; it opens the checkpoint, if that is whole."""
        import tensorflow as tf

        return tf.train.load_checkpoint(self._files)

    def _entries(self) -> dict[str, Entry]:
        try:
            return checkpoint_index.read(f"{self._files}.index")
        except PermissionError:
            raise  # it is not damaged
        except (OSError, ValueError):
            pass
        # TensorFlow knows more kinds, and what is wrong.
        with _reading(self.prefix):
            dtypes = self._reader.get_variable_to_dtype_map()
            return {
                name: Entry(tuple(shape), dtypes[name].name)
                for name, shape in (
                    self._reader.get_variable_to_shape_map().items()
                )
            }

    def _keys_of_objects(self) -> dict[str, str]:
        """Returns where a SavedModel keeps its `weights`, a dict of them."""
        from tensorflow.core.protobuf.trackable_object_graph_pb2 import (
            TrackableObjectGraph,
        )

        text = self._reader.get_tensor(_OBJECT_GRAPH)
        nodes = TrackableObjectGraph.FromString(text).nodes
        found = {
            child.local_name: nodes[child.node_id]
            for child in nodes[0].children
        }
        if "weights" not in found:
            raise UserError(
                f"The checkpoint {self.prefix} has the names of Python "
                "objects. Expected the names of weights "
                "(bert/embeddings/word_embeddings), as in the original's "
                "checkpoints and in SavedModels of export_model.py."
            )
        return {
            child.local_name: nodes[child.node_id].attributes[0].checkpoint_key
            for child in found["weights"].children
        }

    def __contains__(self, name: object) -> bool:
        return name in self.shapes

    def read(self, name: str) -> np.ndarray:
        """Returns one tensor's value; floats as float32.

        All weights that a command computes with pass here.

        Raises:
            UserError: it cannot be read, or has floats that are not finite.
        """
        with _reading(self.prefix):
            value = self._reader.get_tensor(self._keys[name])
        if not _is_floating(self.dtypes[name]):
            return value
        try:
            return weight_values.as_float32(name, value)
        except UserError as error:
            raise UserError(
                f"The checkpoint {self.prefix} cannot be used: {error} Name "
                "another."
            ) from error

    def lend_masked_lm(self, names: Iterable[str]) -> None:
        """Gives the head of a pre-trained model to tasks that lack theirs.

        From then on it has their names alone.

        Args:
            names: of the weights of a model, which may be of several tasks.
        """
        lent = {}
        for name in names:
            own = checkpoint_names.without_task(name)
            if own.startswith(_MASKED_LM) and own in self and name not in self:
                lent[name] = own
        tables: list[dict[str, Any]] = [self._keys, self.shapes, self.dtypes]
        for table in tables:
            own_values = {own: table.pop(own) for own in {*lent.values()}}
            table.update({name: own_values[own] for name, own in lent.items()})

    def check_values(self, names: Iterable[str]) -> None:
        """Reads those tensors that it has, as a check before any work."""
        for name in names:
            if name in self:
                self.read(name)


def _keys_of_task(
    keys: Mapping[str, str], task: str, prefix: str
) -> dict[str, str]:
    """Returns what one task of several has, by the names of a task alone.

    Args:
        keys: where the tensors are, by name.
        task: its name.
        prefix: for messages.
    """
    tasks = checkpoint_names.tasks_of(keys)
    if task in tasks:
        scope = checkpoint_names.scope_of
        hidden = tuple(scope(other) for other in tasks if other != task)
        return {
            name.removeprefix(scope(task)): key
            for name, key in keys.items()
            if not name.startswith(hidden)
        }
    raise UserError(
        f"Expected a checkpoint of several tasks, one of them {task}. "
        f"Received: {task_paths.split(prefix)[0]}, of "
        f"{checkpoint_names.some(tasks) if tasks else 'one task'}."
    )


@contextlib.contextmanager
def _reading(prefix: str) -> Iterator[None]:
    """Turns TensorFlow's errors while reading into one line for the user."""
    try:
        yield
    except UserError:
        raise
    except checkpoint_paths.read_errors() as error:
        raise UserError(
            f"The checkpoint {prefix} cannot be read; it is damaged or "
            f"incomplete ({one_line(error, 80)})"
            f"{checkpoint_paths.way_on(prefix)}."
        ) from error


def check_shapes(
    reader: Reader, expected: Mapping[str, Iterable[int | None]]
) -> None:
    """Raises UserError where a tensor has another shape, or is no float.

    Args:
        reader: the checkpoint.
        expected: shape by name; names that the checkpoint lacks are skipped.
            global_step is a whole number.
    """
    wrong = [
        f"{name} is {reader.dtypes[name]} in the checkpoint and must be "
        + ("int64" if name == GLOBAL_STEP else "float32")
        for name in expected
        if name in reader and not _has_dtype(reader, name)
    ] + [
        f"{name} is {list(reader.shapes[name])} in the checkpoint and "
        f"{list(shape)} in the model"
        for name, shape in expected.items()
        if name in reader and tuple(shape) != reader.shapes[name]
    ]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UserError(
            f"The checkpoint {reader.prefix} does not fit the model: "
            f"{wrong[0]}{more}. Check bert_config_file and the checkpoint."
        )


def _has_dtype(reader: Reader, name: str) -> bool:
    dtype = reader.dtypes[name]
    if name == GLOBAL_STEP:
        return dtype.startswith(("int", "uint"))
    return _is_floating(dtype)


def _is_floating(dtype: str) -> bool:
    return dtype.startswith(("float", "bfloat"))
