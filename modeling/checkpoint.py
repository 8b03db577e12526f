"""Checkpoints in the original's format: TF1 "V2" files with plain names.

A weight's name in a checkpoint is its path in the Keras model, so there is no
table of names (`checkpoint_name`). Files of a checkpoint with prefix P:
`P.index` and `P.data-00000-of-00001`.
"""

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

from bert.errors import UserError
from bert.modeling import checkpoint_names
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.checkpoint_names import ADAM_SUFFIXES as ADAM_SUFFIXES
from bert.modeling.checkpoint_names import GLOBAL_STEP as GLOBAL_STEP
from bert.modeling.checkpoint_names import Others
from bert.modeling.checkpoint_reader import Reader as Reader
from bert.modeling.checkpoint_reader import check_shapes as check_shapes
from bert.modeling.multitask_model import MultitaskModel
from bert.modeling.task_model import TaskModel

_details = logging.get_absl_logger().getChild("details")


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
            checkpoint_names.scope_of(task) + name: own[name]
            for name in own
            if name not in encoder
        }
    return named


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
