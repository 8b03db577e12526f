"""Distillation in pre-training: the teacher's words for masked positions.

    loss = α T² KL(the teacher's k likeliest words ‖ student) + (1 − α) the
           masked-LM loss + the next-sentence loss

The k words' probabilities are those of the teacher, divided by their sum.
Teacher and student see the same ids, so both have one vocabulary.

Letters of shapes: B batch, P predictions of a row, V vocabulary.

Source: Hinton et al. 2015; Turc et al. 2019, section 3.
"""

from collections.abc import Mapping

import tensorflow as tf

from bert.modeling.heads import PretrainingModel
from bert.modeling.task_model import Batch, LossWeight
from bert.training.objectives.distillation import Settings, kl

_NAME = "masked_lm"


class MaskedWords:
    """What a student minimizes; see `training.steps.Objective`.

    Args:
        model: the student.
        teacher: with its weights, of the same vocabulary. No gradient reaches
            it, and it drops nothing.
        settings: how the terms are mixed.
        top_k: k; at most V.
    """

    def __init__(
        self,
        model: PretrainingModel,
        teacher: PretrainingModel,
        settings: Settings,
        top_k: int,
    ):
        self._model = model
        self._teacher = teacher
        self._settings = settings
        self._top_k = top_k

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the model's own weights, and those of `distillation`."""
        own = self._model.loss_weights(batch)
        return {**own, "distillation": own[_NAME]}

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns both terms, with their shares; as `TaskModel.losses`."""
        alpha, temperature = self._settings.share, self._settings.temperature
        own = self._model.losses(outputs, batch)
        said = self._teacher(batch, training=False)["masked_lm_logits"]
        soft = divergence(
            outputs["masked_lm_logits"], said, temperature, self._top_k
        )
        return {
            **own,
            _NAME: (1 - alpha) * own[_NAME],
            "distillation": alpha * soft,
        }


def divergence(
    student: tf.Tensor, teacher: tf.Tensor, temperature: float, top_k: int
) -> tf.Tensor:
    """Returns how far a student is from a teacher's likeliest words, times T².

    Args:
        student: float [n, V].
        teacher: float [n, V].
        temperature: T.
        top_k: how many words.

    Returns:
        float32 [n].
    """
    values, words = tf.math.top_k(tf.cast(teacher, tf.float32), top_k)
    expected = tf.nn.log_softmax(values / temperature)
    found = tf.nn.log_softmax(tf.cast(student, tf.float32) / temperature)
    found = tf.gather(found, words, batch_dims=1)
    return temperature**2 * kl(expected, found)
