"""Task models: the encoder, a head, and the loss they are trained by.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary, P predictions
of a row, L labels. Labels of whole texts: `modeling.classifiers`.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import keras
import tensorflow as tf

from bert.modeling import packed_rows
from bert.modeling.backbones.backbone import ModelOptions
from bert.modeling.backbones.transformer import TransformerBackbone
from bert.modeling.config import BertConfig
from bert.modeling.head_layers import MaskedLmHead, OutputLayer
from bert.modeling.losses import (
    MASKED_LM_EPSILON,
    cross_entropy,
    span_cross_entropy,
)
from bert.modeling.randomness import dropout, split_seed
from bert.modeling.task_model import LossWeight, TaskModel

# As for masked positions: keeps the loss finite where none counts.
TOKEN_EPSILON = 1e-5


@keras.saving.register_keras_serializable("bert")
class PretrainingModel(TaskModel):
    """Masked language model and next sentence prediction.

    Args:
        config: the encoder's sizes.
        has_next_sentence: whether there is the second task, whose label says
            of two texts whether the second one is another than the text that
            follows the first.
        **options: see `ModelOptions`.

    Call arguments:
        batch: also `masked_lm_positions`, int [B, P]; for the losses
            `masked_lm_ids`, int [B, P], `masked_lm_weights`, float32 [B, P],
            0 where a row has fewer than P predictions, and, of the second
            task, `next_sentence_labels`, int [B] or [B, 1]. Of rows of several
            texts also `text_starts`, int [B, T] (`packed_rows`); the labels
            are [B, T] then.

    Returns:
        `masked_lm_logits` float32 [B * P, V] and, of the second task,
        `next_sentence_logits` float32 [B, 2], or [B * T, 2].

    Attributes:
        related: layer and number of heads, for which it also returns what
            `TransformerBackbone.relation_vectors` does; None: it does not.

    Source: Devlin et al. 2019, section 3.1.
    """

    inputs: ClassVar[Mapping[str, Sequence[int | None]]] = {
        **TaskModel.inputs,
        "masked_lm_positions": [None],
    }

    def __init__(
        self,
        config: BertConfig,
        has_next_sentence: bool = True,
        **options: Unpack[ModelOptions],
    ):
        super().__init__(config, "pretraining_model", **options)
        self.has_next_sentence = has_next_sentence
        self.related: tuple[int, int] | None = None
        self.masked_lm = MaskedLmHead(
            config.vocab_size,
            config.hidden_size,
            config.hidden_act,
            self.backbone.options,
        )
        with keras.name_scope("cls"):
            self.masked_lm.build()
        if not has_next_sentence:
            self.leave_pooler()
            return
        self.next_sentence = OutputLayer(
            2, config.hidden_size, self.backbone.options, "seq_relationship"
        )
        with keras.name_scope("cls"):
            self.next_sentence.build()

    def call(self, batch, training=False, seed=None):
        positions = batch["masked_lm_positions"]
        num_texts = 1
        if "text_starts" in batch:
            starts = batch["text_starts"]
            num_texts = tf.shape(starts)[1]
            positions = tf.concat([starts[:, 1:], positions], axis=1)
        encoded = self.encode(
            batch,
            training,
            seed,
            choose=lambda hidden: with_first(hidden, positions),
        )
        masked = encoded["sequence_output"][:, num_texts:]
        outputs = {"masked_lm_logits": self.word_logits(masked)}
        if self.has_next_sentence:
            outputs["next_sentence_logits"] = self.next_sentence(
                encoded["pooled_output"]
            )
        if self.related:
            assert isinstance(self.backbone, TransformerBackbone)
            outputs |= self.backbone.relation_vectors(encoded, *self.related)
        return outputs

    def freeze_words(self) -> None:
        """Takes out of training what only masked words are learned by.

        Where the encoder learns by `related` of its last layer.
        """
        self.masked_lm.trainable = False
        if not self.has_next_sentence:
            assert isinstance(self.backbone, TransformerBackbone)
            self.backbone.encoder.blocks[-1].freeze_output()

    def word_logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Returns the logits of all words in the place of some tokens.

        Args:
            hidden: float [..., D], the encoder's vectors of the tokens.

        Returns:
            float32 [n, V], n tokens in all.
        """
        table = tf.convert_to_tensor(self.backbone.word_table)
        return self.masked_lm(hidden, word_embeddings=table)

    def loss_weights(self, batch):
        weights = {
            "masked_lm": LossWeight(
                tf.reshape(batch["masked_lm_weights"], [-1]),
                MASKED_LM_EPSILON,
            )
        }
        if self.has_next_sentence:
            weights["next_sentence"] = LossWeight(
                self._text_weights(batch), 0.0
            )
        return weights

    def _text_weights(self, batch):
        if "text_starts" not in batch:
            return self.row_weights(batch)
        return packed_rows.text_weights(batch["text_starts"])

    def losses(self, outputs, batch):
        losses = {
            "masked_lm": cross_entropy(
                outputs["masked_lm_logits"], batch["masked_lm_ids"]
            )
        }
        if self.has_next_sentence:
            losses["next_sentence"] = cross_entropy(
                outputs["next_sentence_logits"], batch["next_sentence_labels"]
            )
        return losses


@keras.saving.register_keras_serializable("bert")
class TokenModel(TaskModel):
    """A label for each token, as for named entities.

    Args:
        config: the encoder's sizes.
        num_labels: L.
        dropout_rate: share of each token's vector dropped.
        **options: see `ModelOptions`.

    Call arguments:
        batch: for the losses also `label_ids` and `label_mask`, int [B, S]; a
            position counts where the mask is 1.

    Returns:
        `logits` float32 [B, S, L].

    Source: Devlin et al. 2019, section 5.3.
    """

    loss_name = head_name = "token"
    uses_pooler = False

    def __init__(
        self,
        config: BertConfig,
        num_labels: int,
        dropout_rate: float = 0.1,
        **options: Unpack[ModelOptions],
    ):
        super().__init__(config, "token_model", **options)
        self.num_labels = num_labels
        self.dropout_rate = dropout_rate
        self.tagger = self.new_head(num_labels)

    def call(self, batch, training=False, seed=None):
        encoder_seed, head_seed = split_seed(seed, 2)
        encoded = self.encode(batch, training, encoder_seed)
        hidden = dropout(
            encoded["sequence_output"],
            self.dropout_rate,
            self.dropout_seed(training, head_seed, self.dropout_rate),
        )
        shape = tf.shape(batch["input_ids"])
        logits = self.tagger(hidden)
        return {
            "logits": tf.reshape(logits, [shape[0], shape[1], self.num_labels])
        }

    def loss_weights(self, batch):
        mask = tf.cast(tf.reshape(batch["label_mask"], [-1]), tf.float32)
        # A batch without a word that counts has loss 0, not NaN.
        return {self.loss_name: LossWeight(mask, TOKEN_EPSILON)}

    def row_losses(self, outputs, batch):
        logits = tf.reshape(outputs["logits"], [-1, self.num_labels])
        return cross_entropy(logits, batch["label_ids"])


@keras.saving.register_keras_serializable("bert")
class SpanModel(TaskModel):
    """The first and the last token of an answer, as for SQuAD.

    Args:
        config: the encoder's sizes.
        masks_padding: whether the losses are over tokens alone. In the
            original they are over padding, too.
        **options: see `ModelOptions`.

    Call arguments:
        batch: for the losses also `start_positions` and `end_positions`, int
            [B] or [B, 1], each below S.

    Returns:
        `start_logits` and `end_logits`, float32 [B, S].

    Source: Devlin et al. 2019, section 4.2.
    """

    loss_name = "span"
    head_name = "squad"
    uses_pooler = False

    def __init__(
        self,
        config: BertConfig,
        masks_padding: bool = False,
        **options: Unpack[ModelOptions],
    ):
        super().__init__(config, "span_model", **options)
        self.masks_padding = masks_padding
        self.span = self.new_head(2)

    def call(self, batch, training=False, seed=None):
        encoded = self.encode(batch, training, seed)
        logits = self.span(encoded["sequence_output"])
        shape = tf.shape(batch["input_ids"])
        return {
            "start_logits": tf.reshape(logits[:, 0], shape),
            "end_logits": tf.reshape(logits[:, 1], shape),
        }

    def row_losses(self, outputs, batch):
        return span_cross_entropy(
            outputs["start_logits"],
            outputs["end_logits"],
            batch["start_positions"],
            batch["end_positions"],
            batch.get("input_mask") if self.masks_padding else None,
        )


def with_first(hidden: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Returns the vectors of each row's first token and of some others.

    Args:
        hidden: float [B, S, D].
        positions: int [B, P], each below S.

    Returns:
        float [B, 1 + P, D].
    """
    chosen = tf.gather(hidden, positions, batch_dims=1)
    return tf.concat([hidden[:, :1], chosen], axis=1)
