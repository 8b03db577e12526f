"""Trained models as functions of texts: tokenizing, packing, and the graph.

Letters of shapes: B batch, S the longest sequence of the batch.
"""

from collections.abc import Callable

import tensorflow as tf

from bert.data.text.tokenization import load_vocab
from bert.serving import graphs, saved_models, text_graph
from bert.serving.graphs import Graph, Outputs

# Says of a position that it is no part of a text.
_NO_OFFSET = -1


def write(graph: Graph, folder: str) -> None:
    """Writes the SavedModel that takes texts.

    Whoever loads it has imported tensorflow_text before.

    Args:
        graph: the model, with a vocabulary, of any task but pretraining.
        folder: where to.
    """
    source = graph.source
    text = text_graph.TextGraph(
        load_vocab(source.vocab_file), source.task.do_lower_case
    )
    root = saved_models.make_root(graph)
    root.text = text
    saved_models.save(root, folder, make_signatures(graph, text), source)


def make_signatures(
    graph: Graph, text: text_graph.TextGraph
) -> dict[str, Callable[..., Outputs]]:
    """Returns what is to be called, by the names of signatures.

    Texts are cut to the task's max_seq_length. To what the graph gives, those
    that speak of tokens add, int32 [B, S]: `input_ids`, `input_mask` and
    `segment_ids`; `token_starts` and `token_limits`, where each token is in
    its text, in bytes, and -1 for what is of no text.

    Args:
        graph: the model.
        text: makes ids of texts.

    Returns:
        `serving_default`: of `text`, string [B]; of SQuAD of `question` and
        `context`. `pairs`: of `text` and `text_pair`, where the model knows
        two segments and the task is not of single texts.
    """
    task = graph.source.task
    packer = _Packer(text, task.max_seq_length)

    def answer(ids_and_offsets: tuple) -> Outputs:
        packed, offsets = ids_and_offsets
        outputs = graph(*(packed[name] for name in graphs.INPUTS))
        if task.task == "classification":
            return outputs
        return {**outputs, **packed, **offsets}

    @tf.function(input_signature=_strings("text"))
    def single(text):
        return answer(packer.single(text))

    @tf.function(input_signature=_strings("text", "text_pair"))
    def pairs(text, text_pair):
        return answer(packer.pair(text, text_pair))

    @tf.function(input_signature=_strings("question", "context"))
    def span(question, context):
        limit = task.options["max_query_length"]
        return answer(packer.question(question, context, limit))

    if task.task == "squad":
        return {"serving_default": span}
    if task.task == "ner" or graph.config.type_vocab_size < 2:
        return {"serving_default": single}
    return {"serving_default": single, "pairs": pairs}


class _Packer:
    """Texts to what a model reads, and where its tokens are.

    Args:
        text: makes ids of texts.
        max_seq_length: the longest sequence.
    """

    def __init__(self, text: text_graph.TextGraph, max_seq_length: int):
        self._pack_ids = text.pack_as_is
        # A function of its own is in the SavedModel once, not at each use.
        self._tokenize = tf.function(
            text.tokenize_with_offsets, input_signature=_strings("texts")
        )
        self._max_seq_length = max_seq_length

    def single(self, texts: tf.Tensor) -> tuple[Outputs, Outputs]:
        """Returns features and offsets of [CLS] text [SEP]."""
        pieces = self._tokenize(texts)
        return self._pack(_keep(pieces, self._max_seq_length - 2))

    def pair(
        self, texts: tf.Tensor, others: tf.Tensor
    ) -> tuple[Outputs, Outputs]:
        """Returns those of [CLS] text [SEP] other [SEP]."""
        first = self._tokenize(texts)
        second = self._tokenize(others)
        has_other = tf.cast(second.ids.row_lengths() > 0, tf.int64)
        left_of_first, left_of_second = text_graph.truncate_seq_pair(
            first.ids, second.ids, self._max_seq_length - 2 - has_other
        )
        return self._pack(
            _keep(first, left_of_first.row_lengths()),
            _keep(second, left_of_second.row_lengths()),
        )

    def question(
        self, questions: tf.Tensor, contexts: tf.Tensor, max_query_length: int
    ) -> tuple[Outputs, Outputs]:
        """Returns those of the first window over each context."""
        query = _keep(self._tokenize(questions), max_query_length)
        room = self._max_seq_length - 3 - query.ids.row_lengths()
        context = self._tokenize(contexts)
        return self._pack(query, _keep(context, room))

    def _pack(
        self,
        first: text_graph.Pieces,
        second: text_graph.Pieces | None = None,
    ) -> tuple[Outputs, Outputs]:
        packed = self._pack_ids(first.ids, second and second.ids)
        length = tf.shape(packed["input_ids"])[1]
        return packed, {
            f"token_{name}": _packed_offsets(
                getattr(first, name), second and getattr(second, name), length
            )
            for name in ("starts", "limits")
        }


def _strings(*names: str) -> list[tf.TensorSpec]:
    return [tf.TensorSpec([None], tf.string, name) for name in names]


def _keep(
    pieces: text_graph.Pieces, lengths: tf.Tensor | int
) -> text_graph.Pieces:
    lengths = tf.convert_to_tensor(lengths, tf.int64)
    return text_graph.Pieces(
        *(text_graph.keep_first(values, lengths) for values in pieces)
    )


def _packed_offsets(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, length: tf.Tensor
) -> tf.Tensor:
    """Puts offsets where packing puts their ids, int32 [B, length]."""
    none = tf.fill([first.nrows(), 1], _NO_OFFSET)
    parts = [none, first, none] + ([] if second is None else [second, none])
    dense = tf.concat(parts, 1).to_tensor(_NO_OFFSET)
    return tf.reshape(dense[:, :length], [first.nrows(), length])
