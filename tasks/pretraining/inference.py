"""Pre-trained models: the words that are likely in the place of others.

The requests are fill_mask.py's. They fit `Inference` but for the function of
ids that answers them: an export gives the words of all positions, which is
much where a text has one `[MASK]`; `serving.masked_words` computes those that
are asked for (`logits_at`), and `Predictor` refuses these models.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary, N positions that
are asked for, K words for each, n tokens.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bert.data.records import packing
from bert.data.records.packing import Packed
from bert.data.text import special_tokens
from bert.errors import UserError
from bert.tasks import spec
from bert.tasks.inference import (
    Arrays,
    Asked,
    Inference,
    OptionalOutput,
    Outputs,
)
from bert.tasks.requests import UnfitError, check_finite, texts_of

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.heads import PretrainingModel
    from bert.modeling.task_model import Batch

TASK = "pretraining"
MASK = "[MASK]"

_NEXT_SENTENCE = "next_sentence_probabilities"


class MaskedText(NamedTuple):
    """A text as the model sees it, and which of its ids to ask for.

    Attributes:
        packed: the sequence.
        positions: of its words that are asked for.
    """

    packed: Packed
    positions: list[int]


class Pretraining(Inference):
    """Words, and whether a text follows another one.

    Measured by the share of tokens whose likeliest word is that of the
    original model.
    """

    measure = "same_word"
    token_outputs = ("top_k_ids", "top_k_probabilities")
    optional_outputs: ClassVar[Mapping[str, OptionalOutput]] = {
        _NEXT_SENTENCE: OptionalOutput(
            ("pooler/", "cls/seq_relationship/"),
            "has no next-sentence head: next_sentence_probabilities are left "
            "out",
        )
    }
    no_raw_strings = "[MASK] in a text is split like any other text"

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.top_k > self.config.vocab_size:
            raise UserError(
                f"--top_k must be at most {self.config.vocab_size}, the words "
                f"of the model. Received: {self.top_k}."
            )

    def make_model(self, compute_dtype: str = "float32") -> "PretrainingModel":
        """Returns a `PretrainingModel`."""
        from bert.modeling.heads import PretrainingModel

        return PretrainingModel(self.config, compute_dtype=compute_dtype)

    def outputs(self, model, batch, names):
        """Returns the likeliest words of all positions, masked or not."""
        import tensorflow as tf

        encoded = model.encode(batch, training=False, seed=None)
        hidden = tf.reshape(
            encoded["sequence_output"], [-1, self.config.hidden_size]
        )
        ids, probabilities = best_words(model.word_logits(hidden), self.top_k)
        shape = tf.concat([tf.shape(batch["input_ids"]), [self.top_k]], 0)
        found = {
            "top_k_ids": tf.reshape(ids, shape),
            "top_k_probabilities": tf.reshape(probabilities, shape),
        }
        if _NEXT_SENTENCE in names:
            logits = model.next_sentence(encoded["pooled_output"])
            found[_NEXT_SENTENCE] = tf.nn.softmax(logits)
        return found

    def check_requests(self, folder: str) -> None:
        """Refuses; see above."""
        others = sorted(task for task in spec.TASKS if task != TASK)
        raise UserError(
            f"Expected a model that is for one of {', '.join(others)}. "
            f"Received: {folder}, which is pre-trained; fill_mask.py asks it "
            "for masked words, and --task=features for vectors."
        )

    def request(self, value: object) -> MaskedText:
        """Returns a text whose `[MASK]`s are asked for.

        Raises:
            UnfitError: it has none, or is longer than the model's sequences.
        """
        (text,) = texts_of(value, ("text",), f"a text with {MASK}")
        first, *others = (
            self.tokenizer.encode(part) for part in text.split(MASK)
        )
        if not others:
            raise UnfitError(f"{MASK} in the text")
        ids, positions = list(first), []
        for part in others:
            positions.append(len(ids) + 1)  # after [CLS]
            ids += [self.mask_id, *part]
        return MaskedText(self._pack(ids), positions)

    def whole_text(self, text: str) -> MaskedText:
        """Returns a text all of whose words are asked for.

        Raises:
            UnfitError: it has a `[MASK]`, or is longer than the model's
                sequences.
        """
        if MASK in text:
            raise UnfitError(f"a text without {MASK}")
        ids = self.tokenizer.encode(text)
        return MaskedText(self._pack(ids), list(range(1, len(ids) + 1)))

    def ask(self, request: MaskedText) -> Asked:
        """Returns the one sequence."""
        return Asked(request, [request.packed])

    def answer(self, request: MaskedText, outputs: Outputs) -> dict[str, Any]:
        """Returns the likeliest words of each position that is asked for.

        Args:
            request: the text.
            outputs: one: `ids` int [N, K] and `probabilities` [N, K], best
                first.
        """
        (found,) = outputs
        check_finite(found["probabilities"])
        masks = zip(found["ids"], found["probabilities"], strict=True)
        return {"masks": [self._words(*mask) for mask in masks]}

    @property
    def mask_id(self) -> int:
        """The id of `[MASK]`."""
        vocab = self.tokenizer.vocab
        return vocab[special_tokens.of(vocab).mask]

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the likeliest word of each token, int [n]."""
        return outputs["top_k_ids"][batch["input_mask"] == 1][:, 0]

    def _pack(self, ids: list[int]) -> Packed:
        packed = packing.pack_single(ids, self.special)
        most = self.config.max_position_embeddings
        if len(packed.ids) > most:
            raise UnfitError(
                f"a text of at most {most - 2} word pieces, as "
                f"max_position_embeddings is {most}"
            )
        return packed

    def _words(
        self, ids: np.ndarray, probabilities: np.ndarray
    ) -> list[dict[str, Any]]:
        # A model may have ids that its vocabulary has no word for.
        names = self.tokenizer.inv_vocab
        return [
            {"token": names.get(i, f"[id {i}]"), "probability": float(str(p))}
            for i, p in zip(ids.tolist(), probabilities, strict=True)
        ]


def logits_at(
    model: "PretrainingModel", batch: "Batch", places: "tf.Tensor"
) -> "tf.Tensor":
    """Returns the logits of all words at some places, [N, V].

    Args:
        model: gives them.
        batch: `spec.INPUTS`, int32 [B, S] each.
        places: row and position, int32 [N, 2].
    """
    import tensorflow as tf

    encoded = model.encode(batch, training=False, seed=None)
    return model.word_logits(tf.gather_nd(encoded["sequence_output"], places))


def best_words(
    logits: "tf.Tensor", top_k: "int | tf.Tensor"
) -> tuple["tf.Tensor", "tf.Tensor"]:
    """Returns ids and probabilities of the likeliest words, [N, K] each."""
    import tensorflow as tf

    best = tf.math.top_k(logits, top_k)
    total = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    return best.indices, tf.exp(best.values - total)
