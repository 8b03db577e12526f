"""Trained models as functions of texts: tokenizing, packing, and the graph.

Letters of shapes: B batch, S the longest sequence of the batch.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from bert.data.text.tokenization import load_vocab
from bert.model_folder.task_files import Task
from bert.serving import saved_models, text_graph
from bert.serving.graphs import Graph
from bert.tasks.inference import RawTexts, Tensors
from bert.tasks.spec import INPUTS

# Of a position that is in no text.
_NO_OFFSET = -1


def write(graph: Graph, folder: str) -> None:
    """Writes the SavedModel that takes texts.

    Whoever loads it has imported tensorflow_text before.

    Args:
        graph: the model, of a task that takes texts.
        folder: where to.

    Raises:
        ValueError: the model has no vocabulary.
    """
    source = graph.source
    vocab_file, lower = source.vocab_file, source.task.do_lower_case
    if vocab_file is None or lower is None:
        raise ValueError("Expected a vocabulary and whether it is lower-cased.")
    text = text_graph.TextGraph(load_vocab(vocab_file), lower)
    root = saved_models.make_root(graph)
    root.text = text
    saved_models.save(root, folder, make_signatures(graph, text), source)


def make_signatures(
    graph: Graph, text: text_graph.TextGraph
) -> dict[str, Callable[..., Tensors]]:
    """Returns what is to be called, by the names of signatures.

    Texts are cut to the task's max_seq_length. Where the graph has outputs of
    tokens, these are added, int32 [B, S]: `input_ids`, `input_mask` and
    `segment_ids`; `token_starts` and `token_limits`, where each token is in
    its text, in bytes, and -1 for what is in no text.

    Args:
        graph: the model.
        text: makes ids of texts.

    Returns:
        The signatures of `Inference.raw_strings`: of the texts that it names,
        string [B] each.
    """
    packer = _Packer(text, graph.source.task)
    signatures = graph.inference.raw_strings()
    return {
        name: _signature(graph, packer, texts)
        for name, texts in signatures.items()
    }


def _signature(
    graph: Graph, packer: "_Packer", takes: RawTexts
) -> Callable[..., Tensors]:
    @tf.function(input_signature=_strings(*takes.names))
    def answer(*texts):
        packed, offsets = packer(texts, takes.max_first)
        outputs = graph.serve(*(packed[name] for name in INPUTS))
        if not graph.inference.token_outputs:
            return outputs
        return {**outputs, **packed, **offsets}

    return answer


class _Packer:
    """Texts to what a model reads, and where its tokens are.

    Args:
        text: makes ids of texts.
        task: says what is cut off of long texts, and from where on.
    """

    def __init__(self, text: text_graph.TextGraph, task: Task):
        self._pack_ids = text.pack_as_is
        # As a function of its own it is in the SavedModel once.
        self._tokenize = tf.function(
            text.tokenize_with_offsets, input_signature=_strings("texts")
        )
        self._max_seq_length = task.max_seq_length
        self._ends = task.long_texts.ends(task.max_seq_length - 2)

    def __call__(
        self, texts: Sequence[tf.Tensor], max_first: int | None
    ) -> tuple[Tensors, Tensors]:
        """Returns features and offsets.

        Args:
            texts: one or two, string [B] each.
            max_first: see `RawTexts`.
        """
        first, *others = map(self._tokenize, texts)
        if not others:
            return self._pack(_keep_ends(first, *self._ends))
        (second,) = others
        if max_first is not None:
            first = _keep(first, max_first)
            room = self._max_seq_length - 3 - first.ids.row_lengths()
            return self._pack(first, _keep(second, room))
        has_second = tf.cast(second.ids.row_lengths() > 0, tf.int64)
        left_of_first, left_of_second = text_graph.truncate_seq_pair(
            first.ids, second.ids, self._max_seq_length - 2 - has_second
        )
        return self._pack(
            _keep(first, left_of_first.row_lengths()),
            _keep(second, left_of_second.row_lengths()),
        )

    def _pack(
        self, first: text_graph.Pieces, second: text_graph.Pieces | None = None
    ) -> tuple[Tensors, Tensors]:
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


def _keep_ends(
    pieces: text_graph.Pieces, first: int, last: int
) -> text_graph.Pieces:
    if not last:
        return _keep(pieces, first)
    return text_graph.Pieces(
        *(text_graph.keep_ends(values, first, last) for values in pieces)
    )


def _packed_offsets(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, length: tf.Tensor
) -> tf.Tensor:
    """Puts offsets where packing puts their ids, int32 [B, length]."""
    none = tf.fill([first.nrows(), 1], _NO_OFFSET)
    parts = [none, first, none] + ([] if second is None else [second, none])
    dense = tf.concat(parts, 1).to_tensor(_NO_OFFSET)
    return tf.reshape(dense[:, :length], [first.nrows(), length])
