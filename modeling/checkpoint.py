"""Checkpoints in the original's format: TF1 "V2" files with plain names.

A weight's name in a checkpoint is its path in the Keras model, so there is no
table of names (`checkpoint_name`). Files of a checkpoint with prefix P:
`P.index` and `P.data-00000-of-00001`.
"""

import contextlib
import dataclasses
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)

import keras
import numpy as np
import tensorflow as tf
from absl import logging
from tensorflow.core.protobuf.trackable_object_graph_pb2 import (
    TrackableObjectGraph,
)

from bert.errors import UserError, one_line
from bert.files import task_paths
from bert.modeling import (
    checkpoint_names,
    checkpoint_paths,
    multitask_model,
    weight_values,
)
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.checkpoint_names import ADAM_SUFFIXES as ADAM_SUFFIXES
from bert.modeling.checkpoint_names import GLOBAL_STEP as GLOBAL_STEP
from bert.modeling.checkpoint_names import Others
from bert.modeling.multitask_model import MultitaskModel
from bert.modeling.task_model import TaskModel

_details = logging.get_absl_logger().getChild("details")

DATA_SUFFIX = ".data-00000-of-00001"
_MASKED_LM = "cls/predictions/"
# The names in a checkpoint of TensorFlow's objects, such as a SavedModel's.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

Model = Backbone | TaskModel | MultitaskModel


def backbone_of(model: Model) -> Backbone:
    """Returns a model's encoder, which may be all of it."""
    return model if isinstance(model, Backbone) else model.backbone


def checkpoint_name(
    variable: keras.Variable, model: Backbone | TaskModel
) -> str:
    """Returns the name of a model's weight in checkpoints.

    It is the weight's path, without those parts that a layer around the model
    has put in front. Weights that a task model holds itself, outside of the
    encoder's scope and `cls`, have the model's name there, too:
    `classifier_model/output_bias` is `output_bias`.
    """
    backbone = backbone_of(model)
    path = variable.path.removeprefix(backbone.path.removesuffix(backbone.name))
    if isinstance(model, Backbone):
        return path
    return path.removeprefix(model.name + "/")


def named_variables(model: Model) -> dict[str, keras.Variable]:
    """Returns all weights of a built model by their checkpoint names."""
    if not isinstance(model, MultitaskModel):
        return {checkpoint_name(v, model): v for v in model.variables}
    named = named_variables(model.backbone)
    encoder = set(named)
    for task, of_task in model.tasks.items():
        own = named_variables(of_task)
        named |= {
            multitask_model.scope_of(task) + name: own[name]
            for name in own
            if name not in encoder
        }
    return named


class Reader:
    """The tensors of one checkpoint, by name.

    Args:
        path: what `checkpoint_paths.resolve` takes. Where it names a task,
            the tensors are the encoder's and that task's, by the names that
            they have in a model of that task alone.

    Attributes:
        prefix: the checkpoint's.
        shapes: of its tensors, by their names.
        dtypes: likewise.

    Raises:
        UserError: there is no checkpoint, or it cannot be read, or it is one
            of TensorFlow's objects but no SavedModel of ours.
    """

    def __init__(self, path: str):
        self.prefix = checkpoint_paths.resolve(path)
        files, task = task_paths.split(self.prefix)
        with _reading(self.prefix):
            self._reader = tf.train.load_checkpoint(files)
            shapes = self._reader.get_variable_to_shape_map()
            dtypes = self._reader.get_variable_to_dtype_map()
            self._keys = {name: name for name in shapes}
            if _OBJECT_GRAPH in shapes:
                self._keys = self._keys_of_objects()
            if task:
                self._keys = _keys_of_task(self._keys, task, self.prefix)
            self.shapes: dict[str, tuple[int, ...]] = {
                name: tuple(shapes[key]) for name, key in self._keys.items()
            }
            self.dtypes: dict[str, tf.DType] = {
                name: dtypes[key] for name, key in self._keys.items()
            }

    def _keys_of_objects(self) -> dict[str, str]:
        """Returns where a SavedModel keeps its `weights`, a dict of them."""
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
        if not self.dtypes[name].is_floating:
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
            own = multitask_model.without_task(name)
            if own.startswith(_MASKED_LM) and own in self and name not in self:
                lent[name] = own
        for table in (self._keys, self.shapes, self.dtypes):
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
    tasks = multitask_model.tasks_of(keys)
    if task in tasks:
        scope = multitask_model.scope_of
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
    except checkpoint_paths.READ_ERRORS as error:
        raise UserError(
            f"The checkpoint {prefix} cannot be read; it is damaged or "
            f"incomplete ({one_line(error, 80)})"
            f"{checkpoint_paths.way_on(prefix)}."
        ) from error


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What a load did, by checkpoint names.

    Attributes:
        prefix: the checkpoint read.
        loaded: weights that took their value from it.
        fresh: the model's weights that it lacks: they keep their start value.
        fresh_in_encoder: those of them that are the encoder's.
        unused: its tensors that the model lacks. Slots and global_step are
            not counted: they belong to a run, not to a model.
        slots: see `checkpoint_names`.
        unknown: of the unused, those in the encoder that BERT of any depth
            lacks.
    """

    prefix: str
    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    fresh_in_encoder: tuple[str, ...]
    unused: tuple[str, ...]
    slots: tuple[str, ...]
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(text for _, text in self._lines(logging.info))

    def log(self, trains_head: bool = False) -> None:
        """Logs its text; weights that are missing are a warning.

        Args:
            trains_head: whether what is on top of the encoder is to be
                trained, so that it may be missing.
        """
        is_expected = trains_head and not self.fresh_in_encoder
        write_fresh = logging.info if is_expected else logging.warning
        for write, text in self._lines(write_fresh):
            write("%s", text)
        warn_of_unknown(self.prefix, self.unknown)

    def _lines(
        self, write_fresh: Callable[..., None]
    ) -> Iterator[tuple[Callable[..., None], str]]:
        """Yields each line, and what logs it."""
        text = f"Loaded {len(self.loaded)} weights from {self.prefix}."
        yield logging.info, text
        for write, names, text in (
            (
                write_fresh,
                ", ".join(self.fresh),
                "Not in the checkpoint, left as initialized",
            ),
            (
                _details.info,
                ", ".join(self.unused),
                "In the checkpoint, not used by this model",
            ),
            (
                _details.info,
                checkpoint_names.describe_slots(self.slots),
                "In the checkpoint, of the training run",
            ),
        ):
            if names:
                yield write, f"{text}: {names}"


def load_weights(model: Model, path: str, grows: bool = False) -> LoadReport:
    """Gives a built model the weights that a checkpoint has of it.

    Args:
        model: a BertModel, or a task model, with its variables created.
        path: what `checkpoint_paths.resolve` takes.
        grows: whether the checkpoint's head may be for the first of the
            model's labels alone; the rows of the others keep their start
            values.

    Raises:
        UserError: no readable checkpoint; a weight that is not finite; or,
            and then nothing is assigned, one of another shape or dtype, or a
            checkpoint that lacks weights of the encoder.
    """
    reader = Reader(path)
    variables = named_variables(model)
    reader.lend_masked_lm(variables)
    check_weights(reader, model, grows)
    loaded = [name for name in variables if name in reader]
    for name in loaded:
        value, variable = reader.read(name), variables[name]
        if grows and _is_of_head(name):
            # [L, D] or [L]: the labels that the checkpoint has come first.
            rest = keras.ops.convert_to_numpy(variable)[len(value) :]
            value = np.concatenate([value, rest])
        variable.assign(value)
    others = others_of(reader, model)
    fresh = tuple(name for name in variables if name not in reader)
    return LoadReport(
        prefix=reader.prefix,
        loaded=tuple(loaded),
        fresh=fresh,
        fresh_in_encoder=in_encoder(fresh, model),
        unused=tuple(sorted(others.deeper + others.unknown)),
        slots=others.slots,
        unknown=in_encoder(others.unknown, model),
    )


def others_of(reader: Reader, model: Model) -> Others:
    """Returns what a checkpoint has beside a model's weights."""
    return checkpoint_names.others(reader.shapes, named_variables(model))


def in_encoder(names: Iterable[str], model: Model) -> tuple[str, ...]:
    """Returns those names that are in the scope of a model's encoder."""
    scope = backbone_of(model).scope + "/"
    return tuple(name for name in names if name.startswith(scope))


def without_scope(name: str, model: Model) -> str:
    """Returns a name without the scope of a model's encoder, if it is in it.

    So the pooler has one name in all encoders.
    """
    return name.removeprefix(backbone_of(model).scope + "/")


def warn_of_unknown(prefix: str, unknown: Collection[str]) -> None:
    """Warns of tensors in the encoder that BERT lacks, if there are any.

    The original computes without them, and says nothing.

    Args:
        prefix: the checkpoint's.
        unknown: their names.
    """
    if unknown:
        logging.warning(
            "%s has %d tensors in the encoder that BERT has not; it is "
            "computed without them, as the original does: %s",
            prefix,
            len(unknown),
            checkpoint_names.some(unknown),
        )


def _is_of_head(name: str) -> bool:
    return name.rpartition("/")[2] in ("output_weights", "output_bias")


def check_weights(reader: Reader, model: Model, grows: bool = False) -> None:
    """Raises UserError where a checkpoint is not one of a model's encoder.

    A task's head may start fresh, and so may the pooler, which models of
    masked words alone lack; without the encoder's weights a model is useless.

    Args:
        reader: the checkpoint.
        model: needs no values yet.
        grows: see `load_weights`.
    """
    variables = named_variables(model)
    shapes = {name: tuple(v.shape) for name, v in variables.items()}
    if grows:
        for name in filter(_is_of_head, {*shapes} & {*reader.shapes}):
            # As many labels as it has, if the model has as many.
            num_labels = min(reader.shapes[name][:1], shapes[name][:1])
            shapes[name] = (*num_labels, *shapes[name][1:])
    check_shapes(reader, shapes)
    required = backbone_of(model).required_scopes
    missing = [
        name
        for name in variables
        if name.startswith(required) and name not in reader
    ]
    if missing:
        hint = checkpoint_names.prefix_hint(reader.shapes, missing[0])
        raise UserError(
            f"The checkpoint {reader.prefix} is not of this model: it lacks "
            f"{len(missing)} of the encoder's weights, such as {missing[0]};"
            + (hint or " check bert_config_file and the checkpoint.")
        )


def check_layers(reader: Reader, model: Model) -> None:
    """Raises UserError where a checkpoint has more layers than a model.

    Args:
        reader: the checkpoint, of a model that is not to be trained on.
        model: needs no values yet.
    """
    more = others_of(reader, model).deeper
    if more:
        raise UserError(
            f"The checkpoint {reader.prefix} is of a model with more layers: "
            f"it has {more[0]}. Pass the bert_config_file that it was trained "
            "with."
        )


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
        f"{name} is {reader.dtypes[name].name} in the checkpoint and must be "
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


def write_files(prefix: str, tensors: Mapping[str, tf.Tensor]) -> None:
    """Writes `prefix`.index and .data: exactly these names and values.

    A TF1 Saver, and everything that reads the original's checkpoints, reads
    them. The files are not written atomically: write to a temporary prefix
    and rename (`training.checkpointing`).
    """
    names = list(tensors)
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        # An operation after each: before one runs, TensorFlow does not let go
        # of the arrays that tensors are copies of.
        tensors=[
            tf.identity(tf.convert_to_tensor(tensors[name])) for name in names
        ],
    )


def _has_dtype(reader: Reader, name: str) -> bool:
    dtype = reader.dtypes[name]
    return dtype.is_integer if name == GLOBAL_STEP else dtype.is_floating
