"""Distillation: a model learns from labels and from a teacher's logits.

    loss = α T² KL(teacher ‖ student, both at temperature T)
         + (1 − α) the task's own loss

Each term is the mean over its own rows: rows without a label have the first
one alone.

Letters of shapes: B batch, S sequence, L labels, n losses.

Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network",
section 2.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from bert.modeling.heads import TOKEN_EPSILON
from bert.modeling.task_model import Batch, LossWeight, TaskModel
from bert.tasks import spec

# Keeps the task's own loss finite in a batch without labels, and changes no
# sum of weights.
_NO_ROWS = 1e-20
# Below every logit.
_NO_TOKEN = -1e30


def annealed(done: Callable[[], tf.Tensor]) -> Callable[[], tf.Tensor]:
    """Returns an α that falls along a line from 1, the teacher alone, to 0.

    Args:
        done: returns the share of the training that is done, float32 scalar.

    Source: Clark et al. 2019, "BAM!", section 3.2 (teacher annealing).
    """
    return lambda: 1.0 - done()


class Settings(NamedTuple):
    """How a loss is mixed.

    Attributes:
        alpha: the share of the teacher's term; a number, or what returns one
            that changes in training, float32 scalar.
        temperature: T.
    """

    alpha: float | Callable[[], tf.Tensor]
    temperature: float = 1.0

    @property
    def share(self) -> float | tf.Tensor:
        """The share of the teacher's term at this moment."""
        return self.alpha() if callable(self.alpha) else self.alpha


class Distillation:
    """What a student minimizes; see `training.steps.Objective`.

    Args:
        model: the student.
        logits: what its outputs are, `Spec.logits`.
        settings: how the terms are mixed.

    A batch has, beside what the model's own losses take, `has_label`, int
    [B, 1], and for each output `teacher_<name>`: float32 [B, L]; of words [B,
    L, S], of tokens [B, S].
    """

    def __init__(
        self, model: TaskModel, logits: Mapping[str, str], settings: Settings
    ):
        self._model = model
        self._logits = logits
        self._settings = settings

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the weights of the model's own losses and `distillation`."""
        has_label = tf.cast(batch["has_label"], tf.float32)
        own = {
            name: LossWeight(_of_rows(weights, has_label), epsilon or _NO_ROWS)
            for name, (weights, epsilon) in self._model.loss_weights(
                batch
            ).items()
        }
        return {**own, "distillation": self._soft_weights(batch)}

    def _soft_weights(self, batch: Batch) -> LossWeight:
        if "words" in self._logits.values():
            mask = tf.cast(tf.reshape(batch["label_mask"], [-1]), tf.float32)
            return LossWeight(mask, TOKEN_EPSILON)
        # Without those of labels, which say nothing of the teacher.
        return LossWeight(TaskModel.row_weights(self._model, batch), 0.0)

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns both terms, with their shares; as `TaskModel.losses`."""
        alpha, temperature = self._settings.share, self._settings.temperature
        own = self._model.losses(outputs, batch)
        soft = [
            divergence(
                *(kind, outputs[name], batch[spec.TEACHER_PREFIX + name]),
                *(batch, temperature),
            )
            for name, kind in self._logits.items()
        ]
        return {
            **{name: (1 - alpha) * losses for name, losses in own.items()},
            "distillation": alpha * tf.add_n(soft) / len(soft),
        }


def divergence(
    kind: str,
    student: tf.Tensor,
    teacher: tf.Tensor,
    batch: Batch,
    temperature: float,
) -> tf.Tensor:
    """Returns how far a student is from its teacher, times T².

    Args:
        kind: what the logits are; see `Spec.logits`.
        student: float [B, L]; of words [B, S, L], of tokens [B, S].
        teacher: float32 of the same shape; of words [B, L, S].
        batch: has `input_mask`, where the logits are of tokens.
        temperature: T; of no effect on a number.

    Returns:
        float32 [B]; of words [B * S].
    """
    student = tf.cast(student, tf.float32)
    if kind == "number":
        return tf.reshape(tf.square(student - teacher), [-1])
    if kind == "labels":
        return temperature**2 * tf.reduce_mean(
            kl(
                _of_labels(teacher / temperature),
                _of_labels(student / temperature),
            ),
            axis=-1,
        )
    if kind == "words":
        batch_size, length, labels = tf.unstack(tf.shape(student))
        teacher = tf.reshape(teacher, [batch_size, labels, length])
        teacher = tf.transpose(teacher, [0, 2, 1])
    if kind == "tokens":
        is_token = tf.cast(batch["input_mask"], tf.bool)
        student = tf.where(is_token, student, _NO_TOKEN)
        teacher = tf.where(is_token, teacher, _NO_TOKEN)
    found = kl(
        tf.nn.log_softmax(teacher / temperature),
        tf.nn.log_softmax(student / temperature),
    )
    return temperature**2 * tf.reshape(found, [-1])


def kl(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """Returns KL(teacher ‖ student) of log-probabilities [..., classes]."""
    return tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)


def _of_labels(logits: tf.Tensor) -> tf.Tensor:
    """Returns log-probabilities of yes and no, [..., L, 2]."""
    return tf.math.log_sigmoid(tf.stack([logits, -logits], axis=-1))


def _of_rows(weights: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Returns weights [n] of losses that belong to rows, times [B, 1]."""
    of_rows = tf.reshape(weights, [tf.shape(counts)[0], -1])
    return tf.reshape(of_rows * counts, [-1])
