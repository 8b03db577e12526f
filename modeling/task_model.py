"""The interface of task models for training.

A loop minimizes the sum over a task's losses of

    sum(weights * losses) / (sum(weights) + epsilon)

and adds up sum(weights) over all parts of a batch, in time or on devices,
before it divides.
"""

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from bert.modeling import randomness
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.config import BertConfig
from bert.modeling.head_layers import OutputLayer
from bert.modeling.keras_config import KerasConfig
from bert.modeling.randomness import WeightInitializer, dropout, split_seed

Batch = Mapping[str, tf.Tensor]

# Of the fresh heads of fine-tuning, whatever initializer_range is.
FRESH_HEAD_STDDEV = 0.02


# The encoder that task models get instead of one of their own.
_shared: ContextVar[Backbone | None] = ContextVar("shared", default=None)


@contextlib.contextmanager
def sharing(backbone: Backbone) -> Iterator[None]:
    """Gives the task models that are made within one encoder for all.

    Its pooler stays trainable, whether or not a task uses it.
    """
    token = _shared.set(backbone)
    try:
        # Their heads have other names in checkpoints than they have here.
        with randomness.not_drawn(()):
            yield
    finally:
        _shared.reset(token)


class LossWeight(NamedTuple):
    """What the losses of a batch are weighted and divided by.

    Attributes:
        weights: float32 [n], one for each loss.
        epsilon: added, once, to the sum of all weights.
    """

    weights: tf.Tensor
    epsilon: float


class TaskModel(KerasConfig, keras.layers.Layer):
    """The base class of all task models.

    Its weights exist once it is made. `losses`, weighted and divided
    as above, are what training minimizes. A subclass keeps its own arguments
    as attributes of the same names.

    Class attributes:
        inputs: what it takes, int32: shapes without B by name.
        loss_name: what the loss is called, of a task that has one.
        head_name: the head's weights are under `cls/<head_name>/` in
            checkpoints; None: at the root.
        uses_pooler: whether anything here comes from the encoder's pooler. If
            not, the pooler gets no gradient and is not trainable.

    Args:
        config: the encoder's sizes.
        name: in front of the names of the task's own weights.
        compute_dtype: see `ModelOptions`.
        init_seed: see `ModelOptions`; decides the head's weights too.

    Attributes:
        backbone: the encoder.

    Call arguments:
        batch: tensors by name: `input_ids`, `input_mask` and `segment_ids`,
            int [B, S], of which the last two may be left out as in `Backbone`;
            and what the task adds.
        training: whether to drop.
        seed: int32 [2], decides what is dropped; by default it is drawn.

    Returns:
        A dict of float32 tensors.
    """

    inputs: ClassVar[Mapping[str, Sequence[int | None]]] = {
        "input_ids": [None],
        "input_mask": [None],
        "segment_ids": [None],
    }
    loss_name: ClassVar[str]
    head_name: ClassVar[str | None] = None
    uses_pooler: bool = True

    def __init__(
        self,
        config: BertConfig,
        name: str,
        compute_dtype: str = "float32",
        init_seed: int | None = None,
    ):
        # Without autocast: under a global policy of bfloat16, Keras would
        # round the batch's weights.
        super().__init__(name=name, autocast=False)
        shared = _shared.get()
        self.backbone = shared or make_backbone(
            config, compute_dtype=compute_dtype, init_seed=init_seed
        )
        self._is_shared = shared is not None
        if not self.uses_pooler:
            self.leave_pooler()

    def leave_pooler(self) -> None:
        """Says that nothing here comes from the encoder's pooler."""
        self.uses_pooler = False
        if not self._is_shared:
            self.backbone.freeze_pooler()

    def arguments(self) -> dict[str, Any]:
        names = list(inspect.signature(type(self).__init__).parameters)
        own = {n: getattr(self, n) for n in names[2:] if n != "options"}
        return {**self.backbone.arguments(), **own}

    def keras_model(self) -> keras.Model:
        """Returns a model of Keras with this layer: to compile, fit, save.

        It takes a dict of `inputs`, and returns what this layer does; of a
        single output the tensor itself.
        """
        inputs = {
            name: keras.Input(shape, dtype="int32", name=name)
            for name, shape in self.inputs.items()
        }
        outputs = self(inputs)
        if len(outputs) == 1:
            (outputs,) = outputs.values()
        return keras.Model(inputs, outputs, name=self.name)

    def new_head(self, num_outputs: int) -> OutputLayer:
        """Returns the head that fine-tuning starts afresh.

        Args:
            num_outputs: its labels, L.
        """
        options = self.backbone.options
        initializer = WeightInitializer(
            FRESH_HEAD_STDDEV, options.initializer.seed
        )
        head = OutputLayer(
            num_outputs,
            self.backbone.config.hidden_size,
            dataclasses.replace(options, initializer=initializer),
            # The model's own name is left out of names in checkpoints.
            name=self.head_name or self.name,
        )
        with keras.name_scope("cls") if self.head_name else nullcontext():
            head.build()
        return head

    def encode(
        self,
        batch: Batch,
        training: bool,
        seed: tf.Tensor | None,
        choose: Callable[[tf.Tensor], tf.Tensor] | None = None,
        with_attention: bool = False,
    ) -> dict[str, Any]:
        """Returns what the encoder makes of a batch; as `Backbone` does."""
        # Not every encoder takes rows of several texts.
        texts = {n: batch[n] for n in ["text_starts"] if n in batch}
        return self.backbone(
            batch["input_ids"],
            input_mask=batch.get("input_mask"),
            segment_ids=batch.get("segment_ids"),
            training=training,
            seed=seed,
            choose=choose,
            with_attention=with_attention,
            **texts,
        )

    def pooled(
        self,
        batch: Batch,
        training: bool,
        seed: tf.Tensor | None,
        dropout_rate: float,
    ) -> tf.Tensor:
        """Returns the pooled vectors, after dropout in training: [B, D]."""
        pooled, _ = self.pooled_and_chosen(
            batch, training, seed, dropout_rate, lambda x: x[:, :1]
        )
        return pooled

    def pooled_and_chosen(
        self,
        batch: Batch,
        training: bool,
        seed: tf.Tensor | None,
        dropout_rate: float,
        choose: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what `pooled` does, and the chosen tokens: [B, F, D]."""
        encoder_seed, head_seed = split_seed(seed, 2)
        encoded = self.encode(batch, training, encoder_seed, choose=choose)
        pooled = dropout(
            encoded["pooled_output"],
            dropout_rate,
            self.dropout_seed(training, head_seed, dropout_rate),
        )
        return pooled, encoded["sequence_output"]

    def dropout_seed(
        self, training: bool, seed: tf.Tensor | None, rate: float
    ) -> tf.Tensor | None:
        """Returns the seed of the head's dropout; see `DropoutSeeds`."""
        return self.backbone.dropout_seeds.seed(training, seed, [rate])

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the weights of each loss, from the batch alone.

        By default there is one loss.
        """
        return {self.loss_name: LossWeight(self.row_weights(batch), 0.0)}

    def row_weights(self, batch: Batch) -> tf.Tensor:
        """Returns the weights of the rows' losses, float32 [B].

        By default 1, and 0 for rows that only fill up the batch, which
        `is_real_example` marks.
        """
        if "is_real_example" not in batch:
            return tf.ones(tf.shape(batch["input_ids"])[:1])
        return tf.cast(tf.reshape(batch["is_real_example"], [-1]), tf.float32)

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns the losses, float32 [n], by the names of `loss_weights`.

        Args:
            outputs: what the model made of this batch.
            batch: with the labels.
        """
        return {self.loss_name: self.row_losses(outputs, batch)}

    def row_losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> tf.Tensor:
        """Returns the losses of a task that has one, as `losses` takes them."""
        raise NotImplementedError
