"""A pre-trained model that is asked for words, batch by batch.

Letters of shapes: B batch, S sequence, N positions that are asked for, K words
for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf

from bert.data.text import special_tokens
from bert.errors import UserError
from bert.model_folder.files import ModelFiles
from bert.model_folder.given import Given
from bert.modeling.config import read_config
from bert.modeling.export_mode import export_mode
from bert.serving import attention, graphs, loaded_model, row_batches
from bert.serving.attention import Attention
from bert.serving.graphs import Graph
from bert.tasks.pretraining import inference
from bert.tasks.pretraining.inference import MaskedText, Pretraining
from bert.tasks.requests import check_finite
from bert.tasks.spec import INPUTS

_SIGNATURE = [*graphs.SIGNATURE, tf.TensorSpec([None, 2], tf.int32, "places")]


class MaskedWords:
    """A pre-trained model that is asked for words; made by `load`.

    Args:
        source: the model's files.
        folder: where they are from; for messages.
        batch_size: rows that are computed together.

    Attributes:
        graph: the model.
        request: text → what `fill` takes; UnfitError where it is none.
        whole_text: text → what `scores` takes; likewise.
    """

    def __init__(self, source: ModelFiles, folder: str, batch_size: int = 32):
        tokenizer = loaded_model.tokenizer_of(source, folder)
        tokenizer.require_tokens(special_tokens.of(tokenizer.vocab).mask)
        config = read_config(source.bert_config_file)
        self._inference = Pretraining(source.task, config, (), tokenizer)
        self.request = self._inference.request
        self.whole_text = self._inference.whole_text
        self.graph = Graph(source, top_k=min(10, config.vocab_size))
        self._batch_size = batch_size
        self._best = tf.function(
            self._best_words,
            input_signature=[*_SIGNATURE, tf.TensorSpec([], tf.int32, "k")],
        )
        self._score = tf.function(
            self._log_probabilities,
            input_signature=[
                *_SIGNATURE,
                tf.TensorSpec([None], tf.int32, "targets"),
            ],
        )

    @classmethod
    def load(
        cls, folder: str, batch_size: int = 32, given: Given | None = None
    ) -> Self:
        """Loads a model, once for all.

        Args:
            folder: the output_dir of a pre-training, the folder of a
                published checkpoint, or a SavedModel of the task pretraining.
            batch_size: rows that are computed together.
            given: what the folder does not say.

        Raises:
            UserError: a file is missing, does not fit the others, or has no
                masked language model.
        """
        source = loaded_model.find_pretrained(folder, given)
        return cls(source, folder, batch_size)

    def fill(
        self, texts: Sequence[MaskedText], top_k: int
    ) -> Iterator[dict[str, Any]]:
        """Yields the likeliest words for each `[MASK]` of each text.

        Args:
            texts: of `request`.
            top_k: how many words for each, best first; at least 1.

        Yields:
            `masks`, for each a list of `token` and `probability`.
        """
        self.check_top_k(top_k)

        def compute(numbers, inputs):
            own = [texts[number].positions for number in numbers]
            places = [(b, s) for b, row in enumerate(own) for s in row]
            ids, probabilities = self._best(
                *_tensors(inputs, places), tf.constant(top_k)
            )
            ends = np.cumsum([len(row) for row in own])[:-1]
            return {
                "ids": np.split(ids.numpy(), ends),
                "probabilities": np.split(probabilities.numpy(), ends),
            }

        rows = [text.packed for text in texts]
        places = [tuple(text.positions) for text in texts]
        results = row_batches.results(rows, self._batch_size, compute, places)
        for text, found in zip(texts, results, strict=True):
            yield self._inference.answer(text, [found])

    def scores(self, texts: Sequence[MaskedText]) -> Iterator[dict[str, Any]]:
        """Yields how likely each text is.

        Args:
            texts: of `whole_text`.

        Yields:
            `pseudo_log_likelihood`, the sum over its word pieces of the
            log-probability of each given all others, with `[MASK]` in its
            place; and `num_tokens`, how many they are.

        Source: Salazar et al. 2020, Masked Language Model Scoring.
        """
        rows, positions, targets = [], [], []
        for text in texts:
            for position in text.positions:
                ids = list(text.packed.ids)
                targets.append(ids[position])
                ids[position] = self._inference.mask_id
                rows.append(text.packed._replace(ids=ids))
                positions.append(position)

        def compute(numbers, inputs):
            places = [(b, positions[n]) for b, n in enumerate(numbers)]
            own = tf.constant([targets[n] for n in numbers], tf.int32)
            scores = self._score(*_tensors(inputs, places), own)
            return {"score": scores.numpy()}

        asked = list(zip(positions, targets, strict=True))
        found = row_batches.results(rows, self._batch_size, compute, asked)
        for text in texts:
            own = [float(next(found)["score"]) for _ in text.positions]
            check_finite(own)
            yield {
                "pseudo_log_likelihood": sum(own, 0.0),
                "num_tokens": len(own),
            }

    def attention(self, text: MaskedText) -> Attention:
        """Returns what the pieces of a text look at.

        Args:
            text: of `request` or `whole_text`.
        """
        tokenizer = self._inference.tokenizer
        return attention.of_sequence(self.graph, tokenizer, text.packed)

    def check_top_k(self, top_k: int) -> None:
        """Raises UserError where the model has not so many words."""
        num_words = self._inference.config.vocab_size
        if not 1 <= top_k <= num_words:
            raise UserError(
                f"--top_k must be from 1 to {num_words}, the words of the "
                f"model. Received: {top_k}."
            )

    def _best_words(self, ids, mask, segments, places, k):
        logits = self._logits(ids, mask, segments, places)
        return inference.best_words(logits, k)

    def _log_probabilities(self, ids, mask, segments, places, targets):
        logits = self._logits(ids, mask, segments, places)
        own = tf.gather(logits, targets, batch_dims=1)
        return own - tf.reduce_logsumexp(logits, axis=-1)

    def _logits(self, ids, mask, segments, places) -> tf.Tensor:
        """Returns the logits of all words at (row, position)s, [N, V]."""
        batch = dict(zip(INPUTS, (ids, mask, segments), strict=True))
        with export_mode():
            return inference.logits_at(self.graph.model, batch, places)


def _tensors(
    inputs: Mapping[str, np.ndarray], places: Sequence[tuple[int, int]]
) -> list[tf.Tensor]:
    return [
        *(tf.constant(inputs[name]) for name in INPUTS),
        tf.constant(places, tf.int32, shape=[len(places), 2]),
    ]
