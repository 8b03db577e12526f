"""MiniLMv2: a student learns how its teacher relates tokens to one another.

Of one layer each, for queries, keys and values alike: all heads' vectors of a
token are put together and cut anew into R relation heads, so teacher and
student may have other widths and heads. A relation is

    softmax(A Aᵀ / √d)      A [S, d] of a relation head, d = D / R

and the loss the sum of KL(teacher ‖ student) of the three, averaged over R and
over the tokens of a batch. Padding relates to nothing, and nothing to it; in
rows of several texts each keeps to its own.

Letters of shapes: B batch, S sequence, D hidden, R relation heads.

Source: Wang et al. 2021, "MiniLMv2: Multi-Head Self-Attention Relation
Distillation for Compressing Pretrained Transformers", section 3.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from bert.modeling import packed_rows
from bert.modeling.backbones.transformer import RELATED
from bert.modeling.heads import TOKEN_EPSILON
from bert.modeling.task_model import Batch, LossWeight
from bert.training.objectives.distillation import kl

# Below every score.
_NO_TOKEN = -1e30


def loss_weight(batch: Batch) -> LossWeight:
    """Returns the weights of `losses`: 1 for each token, 0 for padding."""
    mask = tf.reshape(batch["input_mask"], [-1])
    return LossWeight(tf.cast(mask > 0, tf.float32), TOKEN_EPSILON)


def losses(
    student: Mapping[str, tf.Tensor],
    teacher: Mapping[str, tf.Tensor],
    batch: Batch,
    recomputes: bool = False,
) -> tf.Tensor:
    """Returns how far a student's relations are from its teacher's.

    Args:
        student: what `TransformerBackbone.relation_vectors` returns.
        teacher: the teacher's, likewise; D / R may be another.
        batch: has `input_mask`, and `text_starts` where rows are packed.
        recomputes: whether to compute relations a second time in the backward
            pass, instead of keeping them.

    Returns:
        float32 [B * S], for each token the mean over R.
    """
    mask = tf.expand_dims(batch["input_mask"], 1)
    if "text_starts" in batch:
        _, mask = packed_rows.positions_and_mask(
            batch["text_starts"], batch["input_mask"]
        )
    # The same for every relation head.
    mask = tf.expand_dims(mask > 0, 1)

    def of(name: str) -> Callable[[tf.Tensor], tf.Tensor]:
        return lambda vectors: kl(
            _relations(teacher[name], mask), _relations(vectors, mask)
        )

    found = [
        (tf.recompute_grad(of(name)) if recomputes else of(name))(student[name])
        for name in RELATED
    ]
    return tf.reshape(tf.reduce_mean(tf.add_n(found), axis=1), [-1])


def _relations(vectors: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the logarithms of relations, float32 [B, R, S, S].

    Args:
        vectors: float [B, R, S, D / R], scaled.
        mask: bool [B, 1, 1 or S, S], false where the first token is not
            related to the second.
    """
    scores = tf.matmul(vectors, vectors, transpose_b=True)
    scores = tf.where(mask, tf.cast(scores, tf.float32), _NO_TOKEN)
    return tf.nn.log_softmax(scores)
