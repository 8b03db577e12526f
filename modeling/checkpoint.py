"""Checkpoints in the original's format: TF1 "V2" files with plain names.

A weight's name in a checkpoint is its path in the Keras model, so there is no
table of names (`checkpoint_name`). Files of a checkpoint with prefix P:
`P.index` and `P.data-00000-of-00001`.
"""

import contextlib
import dataclasses
import os
import re
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
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.trackable_object_graph_pb2 import (
    TrackableObjectGraph,
)

from bert.errors import UserError, one_line
from bert.modeling import checkpoint_names, weight_values
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.checkpoint_names import ADAM_SUFFIXES as ADAM_SUFFIXES
from bert.modeling.checkpoint_names import GLOBAL_STEP as GLOBAL_STEP
from bert.modeling.checkpoint_names import Others
from bert.modeling.task_model import TaskModel

_details = logging.get_absl_logger().getChild("details")

DATA_SUFFIX = ".data-00000-of-00001"
# The names in a checkpoint of TensorFlow's objects, such as a SavedModel's.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

_FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
# What TensorFlow raises for a checkpoint that is damaged.
_READ_ERRORS = (
    tf.errors.OpError,
    RuntimeError,
    ValueError,
    LookupError,
    DecodeError,
)
# How many others are read through where one is damaged: as many as a run keeps.
_LOOKED_AT = 5

Model = Backbone | TaskModel


def backbone_of(model: Model) -> Backbone:
    """Returns a model's encoder, which may be all of it."""
    return model if isinstance(model, Backbone) else model.backbone


def checkpoint_name(variable: keras.Variable, model: Model) -> str:
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
    return {checkpoint_name(v, model): v for v in model.variables}


def resolve(path: str) -> str:
    """Returns the prefix of the checkpoint that `path` means.

    Args:
        path: a prefix, one of the checkpoint's files (`.index`), or a folder:
            there the newest checkpoint that its `checkpoint` file names, or
            else the only one; or a SavedModel that export_model.py wrote.

    Raises:
        UserError: there is no checkpoint, or a folder holds several and does
            not say which is the newest.
    """
    check_path(path)
    if tf.io.gfile.isdir(path):
        return _resolve_folder(path)
    prefix = _FILE_SUFFIX.sub("", path)
    if tf.io.gfile.exists(prefix + ".index"):
        return prefix
    if tf.io.gfile.exists(prefix):
        raise UserError(
            "Expected a TensorFlow checkpoint with an .index file (prefix, "
            f"folder or .index). Received: {path}, a file without one."
        )
    raise UserError(
        "No checkpoint found. Expected a prefix (…/bert_model.ckpt), an "
        f".index file or a folder with one. Received: {path}."
    )


def check_path(path: str) -> None:
    """Raises UserError for a path whose checkpoints cannot be read.

    TensorFlow takes it for a pattern, in which these characters have a
    meaning and do not match themselves.
    """
    if set(path) & set("[\\"):
        raise UserError(
            "TensorFlow cannot read checkpoints from a path with [ or \\ in "
            f"it. Received: {path}; rename the folder, or name another."
        )


def _resolve_folder(folder: str) -> str:
    if tf.io.gfile.exists(os.path.join(folder, "saved_model.pb")):
        return os.path.join(folder, "variables", "variables")
    newest = latest_in(folder)
    if newest:
        return newest
    files = sorted(tf.io.gfile.listdir(folder))
    found = [name for name in files if is_index(name)]
    if len(found) == 1:
        return os.path.join(folder, found[0].removesuffix(".index"))
    if found:
        names = ", ".join(found)
        raise UserError(
            f"The folder {folder} has several checkpoints and no file "
            f"'checkpoint' that names the newest; name one. Found: {names}."
        )
    raise UserError(
        f"No checkpoint found: the folder {folder} has no .index file."
    )


def is_index(name: str) -> bool:
    """Whether a file's name is that of a checkpoint's index.

    Hidden ones are none: macOS puts `._…` beside each file, and a conversion
    that is killed leaves what it had written.
    """
    return name.endswith(".index") and not name.startswith(".")


def latest_in(folder: str) -> str | None:
    """Returns the prefix that a folder's `checkpoint` file names, or None.

    A path written on another machine is looked for in this folder.

    Raises:
        UserError: the file names a checkpoint that is not there, or is no
            checkpoint state.
    """
    state_file = os.path.join(folder, "checkpoint")
    if not tf.io.gfile.exists(state_file):
        return None
    # TensorFlow answers None, and logs, where the file does not parse.
    try:
        state = tf.train.get_checkpoint_state(folder)
    except ValueError:  # empty, or no text
        state = None
    if state is None or not state.model_checkpoint_path:
        raise UserError(
            f"{state_file} does not name a checkpoint "
            '(model_checkpoint_path: "…"); mend or delete it.'
        )
    named = state.model_checkpoint_path
    here = os.path.join(folder, os.path.basename(named))
    for prefix in (here, named):
        if tf.io.gfile.exists(prefix + ".index"):
            return prefix
    way_on = _way_on(here) or f"; restore it or delete {state_file}"
    raise UserError(
        f"{state_file} names {os.path.basename(named)} as the newest "
        f"checkpoint, but {here}.index does not exist{way_on}."
    )


class Reader:
    """The tensors of one checkpoint, by name.

    Args:
        path: what `resolve` takes.

    Attributes:
        prefix: the checkpoint's.
        shapes: of its tensors, by their names.
        dtypes: likewise.

    Raises:
        UserError: there is no checkpoint, or it cannot be read, or it is one
            of TensorFlow's objects but no SavedModel of ours.
    """

    def __init__(self, path: str):
        self.prefix = resolve(path)
        with _reading(self.prefix):
            self._reader = tf.train.load_checkpoint(self.prefix)
            shapes = self._reader.get_variable_to_shape_map()
            dtypes = self._reader.get_variable_to_dtype_map()
            self._keys = {name: name for name in shapes}
            if _OBJECT_GRAPH in shapes:
                self._keys = self._keys_of_objects()
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

    def check_values(self, names: Iterable[str]) -> None:
        """Reads those tensors that it has, as a check before any work."""
        for name in names:
            if name in self:
                self.read(name)


@contextlib.contextmanager
def _reading(prefix: str) -> Iterator[None]:
    """Turns TensorFlow's errors while reading into one line for the user."""
    try:
        yield
    except UserError:
        raise
    except _READ_ERRORS as error:
        raise UserError(
            f"The checkpoint {prefix} cannot be read; it is damaged or "
            f"incomplete ({one_line(error, 80)}){_way_on(prefix)}."
        ) from error


def _way_on(prefix: str) -> str:
    """Says which other checkpoints beside one are whole, and how to use them.

    Returns:
        The end of a message that says what is wrong with the one; "" where no
        other is whole.
    """
    folder, own = os.path.split(prefix)
    found = (
        name.removesuffix(".index")
        for name in tf.io.gfile.listdir(folder or ".")
        if name.endswith(".index")
    )
    newest_first = sorted(found, key=numbers_as_such, reverse=True)
    others = [name for name in newest_first if name != own][:_LOOKED_AT]
    whole = [n for n in others if _is_whole(os.path.join(folder, n))]
    if not whole:
        return ""
    return (
        f". Whole beside it: {', '.join(whole)}; to go on from there, write "
        f'model_checkpoint_path: "{whole[0]}" into the file checkpoint'
    )


def numbers_as_such(name: str) -> list[tuple[int, str]]:
    """Returns what sorts model.ckpt-9 before model.ckpt-10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), "") if p.isdecimal() else (0, p) for p in parts]


def _is_whole(prefix: str) -> bool:
    """Whether all tensors of a checkpoint can be read."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except _READ_ERRORS:
        return False
    return True


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
        path: what `resolve` takes.
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
