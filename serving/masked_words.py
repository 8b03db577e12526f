"""What a masked language model puts in the place of words.

Letters of shapes: B batch, S sequence, N masked positions, K words.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.data.records import packing
from bert.data.records.packing import Packed
from bert.errors import UserError
from bert.model_folder import locate, model_files
from bert.model_folder.given import Given
from bert.model_folder.model_files import ModelFiles
from bert.modeling import BertConfig
from bert.modeling.export_mode import export_mode
from bert.serving import graphs, loaded_model, row_batches
from bert.serving.graphs import Graph
from bert.serving.request_errors import UnfitError, check_finite

MASK = "[MASK]"

_SIGNATURE = [
    *(tf.TensorSpec([None, None], tf.int32, name) for name in graphs.INPUTS),
    tf.TensorSpec([None, 2], tf.int32, "places"),
]


class Word(NamedTuple):
    """A word piece, and how likely it is."""

    token: str
    probability: float


class MaskedText(NamedTuple):
    """A text as the model sees it, and which of its ids to ask for.

    Attributes:
        packed: the sequence.
        positions: of its words that are asked for.
    """

    packed: Packed
    positions: list[int]


class MaskedWords:
    """A pre-trained model that is asked for words; made by `load`.

    Args:
        source: the model's files.
        folder: where they are from; for messages.
        batch_size: rows that are computed together.
    """

    def __init__(self, source: ModelFiles, folder: str, batch_size: int = 32):
        self._config = BertConfig.from_json_file(source.bert_config_file)
        self._tokenizer = loaded_model.tokenizer_of(source, folder)
        self._tokenizer.require_tokens(MASK)
        self._special = packing.SpecialIds.from_vocab(self._tokenizer.vocab)
        self._mask_id = self._tokenizer.vocab[MASK]
        self._graph = Graph(source, top_k=1)
        self._batch_size = batch_size
        self._best = tf.function(
            self._best_words,
            input_signature=[*_SIGNATURE, tf.TensorSpec([], tf.int32, "k")],
        )
        self._score = tf.function(
            self._scores,
            input_signature=[
                *_SIGNATURE,
                tf.TensorSpec([None], tf.int32, "targets"),
            ],
        )

    @classmethod
    def load(
        cls, folder: str, batch_size: int = 32, given: Given | None = None
    ) -> "MaskedWords":
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
        if not locate.is_saved_model(folder):
            given = dataclasses.replace(given or Given(), task="pretraining")
        source = model_files.find(folder, given)
        if source.task.task != "pretraining":
            raise UserError(
                "Expected a model that was exported with --task=pretraining. "
                f"Received: {folder}, of the task {source.task.task}."
            )
        return cls(source, folder, batch_size)

    def masked_text(self, text: str) -> MaskedText:
        """Returns a text whose `[MASK]`s are asked for.

        Raises:
            UnfitError: it has none, or is longer than the model's sequences.
        """
        first, *others = (
            self._tokenizer.encode(part) for part in text.split(MASK)
        )
        if not others:
            raise UnfitError(f"{MASK} in the text")
        ids, positions = list(first), []
        for part in others:
            positions.append(len(ids) + 1)  # after [CLS]
            ids += [self._mask_id, *part]
        return MaskedText(self._pack(ids), positions)

    def whole_text(self, text: str) -> MaskedText:
        """Returns a text all of whose words are asked for, one by one.

        Raises:
            UnfitError: it has a `[MASK]`, or is longer than the model's
                sequences.
        """
        if MASK in text:
            raise UnfitError(f"a text without {MASK}")
        ids = self._tokenizer.encode(text)
        return MaskedText(self._pack(ids), list(range(1, len(ids) + 1)))

    def fill(
        self, texts: Sequence[MaskedText], top_k: int
    ) -> Iterator[list[list[Word]]]:
        """Yields the likeliest words for each `[MASK]` of each text.

        Args:
            texts: what `masked_text` returned.
            top_k: how many words for each, best first; at least 1.
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
        for found in row_batches.results(rows, self._batch_size, compute):
            check_finite(found["probabilities"])
            yield [
                self._words(*mask)
                for mask in zip(
                    found["ids"], found["probabilities"], strict=True
                )
            ]

    def pseudo_log_likelihoods(
        self, texts: Sequence[MaskedText]
    ) -> Iterator[float]:
        """Yields each text's sum of its words' log-probabilities.

        Each word piece's is that given all others, with `[MASK]` in its place.

        Args:
            texts: what `whole_text` returned.

        Source: Salazar et al. 2020, Masked Language Model Scoring.
        """
        rows, positions = [], []
        for text in texts:
            for position in text.positions:
                ids = list(text.packed.ids)
                ids[position] = self._mask_id
                rows.append(text.packed._replace(ids=ids))
                positions.append(position)
        targets = [t.packed.ids[p] for t in texts for p in t.positions]

        def compute(numbers, inputs):
            places = [(b, positions[n]) for b, n in enumerate(numbers)]
            own = tf.constant([targets[n] for n in numbers], tf.int32)
            scores = self._score(*_tensors(inputs, places), own)
            return {"score": scores.numpy()}

        found = row_batches.results(rows, self._batch_size, compute)
        for text in texts:
            scores = [float(next(found)["score"]) for _ in text.positions]
            check_finite(scores)
            yield sum(scores, 0.0)

    def check_top_k(self, top_k: int) -> None:
        """Raises UserError where the model has not so many words."""
        if not 1 <= top_k <= self._config.vocab_size:
            raise UserError(
                f"--top_k must be from 1 to {self._config.vocab_size}, the "
                f"words of the model. Received: {top_k}."
            )

    def _pack(self, ids: list[int]) -> Packed:
        packed = packing.pack_single(ids, self._special)
        most = self._config.max_position_embeddings
        if len(packed.ids) > most:
            raise UnfitError(
                f"a text of at most {most - 2} word pieces, as "
                f"max_position_embeddings of the model is {most}"
            )
        return packed

    def _words(self, ids: np.ndarray, probabilities: np.ndarray) -> list[Word]:
        # An id of the model that its vocabulary has no word for.
        names = self._tokenizer.inv_vocab
        return [
            Word(names.get(i, f"[id {i}]"), float(str(p)))
            for i, p in zip(ids.tolist(), probabilities, strict=True)
        ]

    def _best_words(self, ids, mask, segments, places, k):
        logits = self._logits(ids, mask, segments, places)
        best = tf.math.top_k(logits, k)
        total = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
        return best.indices, tf.exp(best.values - total)

    def _scores(self, ids, mask, segments, places, targets):
        logits = self._logits(ids, mask, segments, places)
        own = tf.gather(logits, targets, batch_dims=1)
        return own - tf.reduce_logsumexp(logits, axis=-1)

    def _logits(self, ids, mask, segments, places) -> tf.Tensor:
        """Returns the logits of all words at (row, position)s, [N, V]."""
        model = self._graph.model
        values = (ids, mask, segments)
        batch = dict(zip(graphs.INPUTS, values, strict=True))
        with export_mode():
            encoded = model.encode(batch, training=False, seed=None)
            return model.word_logits(
                tf.gather_nd(encoded["sequence_output"], places)
            )


def _tensors(
    inputs: Mapping[str, np.ndarray], places: Sequence[tuple[int, int]]
) -> list[tf.Tensor]:
    return [
        *(tf.constant(inputs[name]) for name in graphs.INPUTS),
        tf.constant(places, tf.int32, shape=[len(places), 2]),
    ]
