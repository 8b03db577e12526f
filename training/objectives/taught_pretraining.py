"""Distillation in pre-training: a teacher's words, and its relations.

    loss = α (T² KL(the teacher's k likeliest words for masked positions ‖
           student) + the relations' loss)
         + (1 − α) the masked-LM loss + the next-sentence loss

Either of the teacher's terms may be left out. The k words' probabilities are
those of the teacher, divided by their sum. Teacher and student see the same
ids, so both have one vocabulary. Relations: `training.objectives.relations`.

Letters of shapes: B batch, P predictions of a row, V vocabulary.

Source: Hinton et al. 2015; Turc et al. 2019, section 3; Wang et al. 2021.
"""

from collections.abc import Mapping

import tensorflow as tf

from bert.modeling.heads import PretrainingModel
from bert.modeling.task_model import Batch, LossWeight
from bert.training.objectives import relations
from bert.training.objectives.distillation import Settings, kl

_NAME = "masked_lm"


class TaughtPretraining:
    """What a student minimizes; see `training.steps.Objective`.

    Args:
        model: the student. Its relations are learned if it is to return what
            they are made of (`PretrainingModel.related`), as its teacher then
            is, too.
        teacher: with its weights, of the same vocabulary. No gradient reaches
            it, and it drops nothing.
        settings: how the terms are mixed.
        top_k: k; at most V; 0: the teacher's words are not learned.
        recomputes: see `relations.losses`.
    """

    def __init__(
        self,
        model: PretrainingModel,
        teacher: PretrainingModel,
        settings: Settings,
        top_k: int,
        recomputes: bool = False,
    ):
        self._model = model
        self._teacher = teacher
        self._settings = settings
        self._top_k = top_k
        self._recomputes = recomputes

    @property
    def _has_words(self) -> bool:
        """Whether labels or the teacher have a share in masked words."""
        return self._top_k > 0 or self._settings.alpha != 1

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the model's own weights, and those of the teacher's terms."""
        weights = self._model.loss_weights(batch)
        if self._top_k:
            weights["distillation"] = weights[_NAME]
        elif not self._has_words:
            del weights[_NAME]
        if self._model.related:
            weights["relations"] = relations.loss_weight(batch)
        return weights

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns all terms, with their shares; as `TaskModel.losses`.

        Masked words that neither labels nor the teacher have a share of are
        left out: computing them would be in vain.
        """
        alpha, temperature = self._settings.share, self._settings.temperature
        losses = self._model.losses(outputs, batch)
        said = self._teacher(batch, training=False)
        if self._has_words:
            losses[_NAME] *= 1 - alpha
        else:
            del losses[_NAME]
        if self._top_k:
            losses["distillation"] = alpha * divergence(
                outputs["masked_lm_logits"],
                said["masked_lm_logits"],
                temperature,
                self._top_k,
            )
        if self._model.related:
            losses["relations"] = alpha * relations.losses(
                outputs, said, batch, self._recomputes
            )
        return losses


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
