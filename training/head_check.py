"""Does the checkpoint that a run begins with fit the task and its model?

All of this is checked before a run writes anything.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bert.errors import UserError
from bert.modeling.backbones.choice import ENCODER_TYPES
from bert.modeling.checkpoint_names import has_moments
from bert.modeling.checkpoint_reader import Reader
from bert.training import checkpointing

# TensorFlow is imported where it is used: the head is checked without.
if TYPE_CHECKING:
    from bert.modeling.task_model import TaskModel

_WORDS = "/embeddings/word_embeddings"


class Start(NamedTuple):
    """The checkpoint that a run begins with.

    Attributes:
        reader: its tensors; None: weights are drawn.
        is_resumed: whether it is one in output_dir, which wins; else it is
            init_checkpoint.
        num_outputs: rows of the task's head; None where it has none.
    """

    reader: Reader | None = None
    is_resumed: bool = False
    num_outputs: int | None = None

    def check_outputs(self, expected: int, grows: bool = False) -> None:
        """Raises UserError where the head has another size than the task.

        Args:
            expected: the task's labels, L, or 1.
            grows: whether the head may be a smaller one.
        """
        if self.reader is None or self.num_outputs in (None, expected):
            return
        if grows and not self.is_resumed and self.num_outputs < expected:
            return
        advice = (
            "name another --output_dir, or the data and labels it was trained "
            "with"
            if self.is_resumed
            else "name a checkpoint without a head (a pre-trained model), or "
            "one of this task"
        )
        raise UserError(
            f"The checkpoint {self.reader.prefix} has a head for "
            f"{self.num_outputs} label(s), the task has {expected}; {advice}."
        )


def check_head(
    start: Start,
    output_dir: str,
    head: str,
    *,
    trains: bool,
    uses_pooler: bool = False,
) -> Start:
    """Checks the head of the checkpoint that a run begins with.

    Args:
        start: may lack a head where the run trains one, and does not go on.
        output_dir: for messages.
        head: the name of its weights: "output_weights",
            "cls/squad/output_weights", "cls/token/output_weights".
        trains: whether the run trains.
        uses_pooler: whether the head stands on the pooler.

    Returns:
        The start, with its num_outputs.

    Raises:
        UserError: the checkpoint in output_dir is of another task; or nothing
            is trained, and the checkpoint lacks what training would have left.
    """
    reader = start.reader
    if reader is None:
        return start
    needed = [head, head.replace("weights", "bias")]
    if uses_pooler and not start.is_resumed:
        scope = _encoder_scope(reader)
        # A scope of its own is the name of the encoder's type.
        kind = ENCODER_TYPES.get(scope)
        if kind is None or kind.has_pooler:
            pooler = f"{scope}/pooler/dense"
            needed += [f"{pooler}/kernel", f"{pooler}/bias"]
    missing = [name for name in needed if name not in reader]
    if missing and (start.is_resumed or not trains):
        advice = (
            "it is of another task; name another --output_dir"
            if start.is_resumed
            else "train it first (--do_train), or check --output_dir="
            f"{output_dir}, which has no checkpoint"
        )
        raise UserError(
            f"{reader.prefix} has no {missing[0]}, but "
            f"{heads_of(reader)}: {advice}."
        )
    shape = reader.shapes.get(head)
    return start._replace(num_outputs=shape[0] if shape else None)


def _encoder_scope(reader: Reader) -> str:
    """Returns what the encoder's names begin with; BERT's if nothing tells."""
    scopes = (
        name.removesuffix(_WORDS)
        for name in reader.shapes
        if name.endswith(_WORDS)
    )
    return next((scope for scope in scopes if "/" not in scope), "bert")


def heads_of(reader: Reader) -> str:
    """Returns the names of the heads that a checkpoint has."""
    found = [
        name
        for name in sorted(reader.shapes)
        if name.rpartition("/")[2] == "output_weights"
    ]
    return ", ".join(found) or "no head at all"


def check_model(
    start: Start,
    make_model: Callable[[], "TaskModel"],
    *,
    num_train_steps: int,
    freeze_layers: int | None = None,
    best: str | None = None,
    needs_moments: bool = True,
    grows: bool = False,
) -> "TaskModel":
    """Checks that a run's checkpoints are those of its model.

    Args:
        start: the checkpoint that the run begins with.
        make_model: makes the model; its weights get no values here, so that
            it costs next to no time and memory.
        num_train_steps: the step at which training ends; 0: nothing is
            trained. A run that goes on needs Adam's moments, too.
        freeze_layers: see `TrainingConfig`.
        best: the checkpoint of the best weights, if the run may use it.
        needs_moments: see `TrainingConfig`.
        grows: whether the head may have more labels than the checkpoint's.

    Returns:
        The model; its weights have no values.

    Raises:
        UserError: one is not, or a weight in it is not finite.
    """
    import keras

    from bert.modeling import checkpoint

    with keras.StatelessScope(initialize_variables=False):
        model = make_model()
        if freeze_layers is not None:
            model.backbone.freeze(freeze_layers)
    reader = start.reader
    goes_on = False
    if reader and start.is_resumed and num_train_steps:
        checkpointing.read_state(reader)
        goes_on = checkpointing.step_of(reader) < num_train_steps
    weights = checkpoint.named_variables(model)
    if reader and not start.is_resumed:
        reader.lend_masked_lm(weights)
    if reader and goes_on:
        shapes = {name: tuple(v.shape) for name, v in weights.items()}
        moments = {
            name + suffix: shapes[name]
            for name, variable in weights.items()
            if variable.trainable
            for suffix in checkpoint.ADAM_SUFFIXES
            if needs_moments or has_moments(reader.shapes)
        }
        checkpointing.check_restorable(
            reader,
            {**shapes, **moments, checkpoint.GLOBAL_STEP: ()},
            model.backbone.scope,
        )
    elif reader:
        checkpoint.check_weights(reader, model, grows and not start.is_resumed)
        if not num_train_steps:
            checkpoint.check_layers(reader, model)
    if reader:
        reader.check_values(weights)
    if best:
        reader = Reader(best)
        checkpoint.check_weights(reader, model)
        checkpoint.check_layers(reader, model)
        reader.check_values(weights)
    return model
