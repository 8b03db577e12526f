"""Trained models as functions of ids, which need no class of this project.

A graph takes `input_ids`, `input_mask` and `segment_ids`, int32 [B, S] of any
batch size and length, and gives named outputs; `OUTPUTS` lists them.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary, L labels, K the
words that are kept.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf
from absl import logging

from bert.errors import UserError
from bert.model_folder.model_files import ModelFiles
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig, checkpoint, classification
from bert.modeling.export_mode import export_mode
from bert.modeling.heads import PretrainingModel, SpanModel, TokenModel
from bert.modeling.task_model import TaskModel

INPUTS = ("input_ids", "input_mask", "segment_ids")

# Outputs by task, all float32 but the ids. Of positions that are padding they
# say nothing, and those of the others do not hang on padding.
OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "classification": {
        "probabilities": "[B, L]: softmax, or sigmoid of several labels",
        "scores": "[B, 1]: of regression, in the place of probabilities",
        "logits": "[B, L]",
    },
    "squad": {
        "start_logits": "[B, S]; -10000 for padding",
        "end_logits": "[B, S]; -10000 for padding",
    },
    "ner": {"probabilities": "[B, S, L]", "logits": "[B, S, L]"},
    "features": {
        "sequence_output": "[B, S, D]: the last layer",
        "pooled_output": "[B, D]; not of a checkpoint without a pooler",
    },
    "pretraining": {
        "top_k_ids": "int32 [B, S, K]: the words for each position, best first",
        "top_k_probabilities": "[B, S, K]",
        "next_sentence_probabilities": "[B, 2]: next, random; not of a "
        "checkpoint without that head",
    },
}

# Below every logit, and a number in float16, too.
_NO_LOGIT = -10000.0
# What a checkpoint may lack, and what then is left out.
_POOLER = "bert/pooler/"
_NEXT_SENTENCE = "cls/seq_relationship/"

Outputs = dict[str, tf.Tensor]


class Graph:
    """A trained model, ready to be called or saved.

    Args:
        source: the model's files.
        top_k: words kept for each position by the task pretraining, K.

    Call arguments:
        input_ids: int32 [B, S].
        input_mask: int32 [B, S], 1 for real tokens, 0 for padding.
        segment_ids: int32 [B, S].

    Returns:
        A dict of the task's `OUTPUTS`.

    Attributes:
        source: the model's files.
        config: the model's sizes.
        model: with the checkpoint's weights: a task model; in float32.
        weights: the checkpoint's variables by their names there.
        untrained: variables that the checkpoint lacks; no output hangs on
            them, but they are in the graph.
        serve: the tf.function behind the call.

    Raises:
        UserError: the checkpoint is not one of this task and these sizes.
    """

    def __init__(self, source: ModelFiles, top_k: int = 10):
        self.source = source
        self.config = BertConfig.from_json_file(source.bert_config_file)
        if top_k > self.config.vocab_size:
            raise UserError(
                f"--top_k must be at most {self.config.vocab_size}, the words "
                f"of the model. Received: {top_k}."
            )
        self.model = _make_model(source, self.config)
        self.weights, self.untrained = _load(self.model, source)
        outputs = _output_function(self, top_k)

        def serve(
            input_ids: tf.Tensor, input_mask: tf.Tensor, segment_ids: tf.Tensor
        ) -> Outputs:
            with export_mode():
                return outputs(
                    {
                        "input_ids": input_ids,
                        "input_mask": input_mask,
                        "segment_ids": segment_ids,
                    }
                )

        self.serve = tf.function(serve, input_signature=_SIGNATURE)

    def __call__(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
    ) -> Outputs:
        """Computes the outputs of a batch."""
        return self.serve(input_ids, input_mask, segment_ids)

    def has(self, prefix: str) -> bool:
        """Whether the checkpoint has weights whose names begin so."""
        return any(name.startswith(prefix) for name in self.weights)

    def make_encode(self) -> tf.types.experimental.PolymorphicFunction:
        """Returns the encoder as a function that can be trained.

        Call arguments:
            input_ids, input_mask, segment_ids: as of the graph.
            training: a Python bool: whether to drop.
            seed: int32 [2], decides what is dropped; of no account where
                training is False.

        Returns:
            The outputs of the task features.
        """
        names = _encoder_outputs(self)

        @tf.function
        def encode(input_ids, input_mask, segment_ids, training, seed):
            with export_mode():
                outputs = self.model.backbone(
                    input_ids,
                    input_mask=input_mask,
                    segment_ids=segment_ids,
                    training=training,
                    seed=seed,
                )
            return {name: outputs[name] for name in names}

        for training in (False, True):
            encode.get_concrete_function(
                *_SIGNATURE,
                training=training,
                seed=tf.TensorSpec([2], tf.int32, "seed"),
            )
        return encode


_SIGNATURE = [tf.TensorSpec([None, None], tf.int32, name) for name in INPUTS]


def _make_model(source: ModelFiles, config: BertConfig) -> TaskModel:
    task = source.task
    if task.task == "squad":
        return SpanModel(config)
    if task.task == "ner":
        return TokenModel(config, len(source.labels))
    if task.task == "classification":
        return classification.make_model(
            task.kind, config, len(source.labels) or 1
        )
    if task.task == "pretraining":
        return PretrainingModel(config)
    return TaskModel(config, "encoder", "float32", None)


def _load(
    model: TaskModel, source: ModelFiles
) -> tuple[dict[str, tf.Variable], list[tf.Variable]]:
    """Loads the checkpoint; what it lacks must be what may be left out.

    Returns:
        The variables that are in it, by name, and those that are not.
    """
    variables = checkpoint.named_variables(model)
    checkpoint.check_layers(checkpoint.Reader(source.checkpoint), model)
    report = checkpoint.load_weights(model, source.checkpoint)
    report.log()
    optional = _optional_weights(source.task)
    missing = [name for name in report.fresh if not name.startswith(optional)]
    if missing:
        raise UserError(
            f"The checkpoint {source.checkpoint} lacks weights of the task "
            f"{source.task.task}: {missing[0]} ({len(missing)} in all); name "
            "another task (--task) or another checkpoint."
        )
    return (
        {name: variables[name].value for name in report.loaded},
        [variables[name].value for name in report.fresh],
    )


def _optional_weights(task: Task) -> tuple[str, ...]:
    """Returns the beginnings of the names that a checkpoint may lack."""
    if task.task == "classification":
        return ()
    if task.task == "pretraining":
        return (_POOLER, _NEXT_SENTENCE)
    return (_POOLER,)


def _encoder_outputs(graph: Graph) -> list[str]:
    if graph.has(_POOLER):
        return ["sequence_output", "pooled_output"]
    logging.warning(
        "%s has no pooler: pooled_output is left out.", graph.source.checkpoint
    )
    return ["sequence_output"]


def _output_function(
    graph: Graph, top_k: int
) -> Callable[[Mapping[str, tf.Tensor]], Outputs]:
    """Returns what makes a task's outputs of a batch."""
    model, task = graph.model, graph.source.task

    def classified(batch):
        outputs = model(batch)
        values = classification.predicted(task.kind, outputs, batch)["values"]
        name = "scores" if task.kind == "regression" else "probabilities"
        return {name: values, "logits": outputs["logits"]}

    def spans(batch):
        is_token = tf.cast(batch["input_mask"], tf.bool)
        return {
            name: tf.where(is_token, logits, _NO_LOGIT)
            for name, logits in model(batch).items()
        }

    def tagged(batch):
        logits = model(batch)["logits"]
        return {"probabilities": tf.nn.softmax(logits), "logits": logits}

    names = _encoder_outputs(graph) if task.task == "features" else ()

    def encoded(batch):
        outputs = model.encode(batch, training=False, seed=None)
        return {name: outputs[name] for name in names}

    return {
        "classification": classified,
        "squad": spans,
        "ner": tagged,
        "features": encoded,
        "pretraining": lambda batch: _words(graph, batch, top_k),
    }[task.task]


def _words(graph: Graph, batch: Mapping[str, tf.Tensor], top_k: int) -> Outputs:
    """Returns the likeliest words of every position, masked or not."""
    model: PretrainingModel = graph.model
    encoded = model.encode(batch, training=False, seed=None)
    shape = tf.shape(batch["input_ids"])
    hidden = tf.reshape(
        encoded["sequence_output"], [-1, graph.config.hidden_size]
    )
    logits = model.word_logits(hidden)
    best = tf.math.top_k(logits, top_k)
    total = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    shape = tf.concat([shape, [top_k]], 0)
    outputs = {
        "top_k_ids": tf.reshape(best.indices, shape),
        "top_k_probabilities": tf.reshape(tf.exp(best.values - total), shape),
    }
    if graph.has(_NEXT_SENTENCE) and graph.has(_POOLER):
        outputs["next_sentence_probabilities"] = tf.nn.softmax(
            model.next_sentence(encoded["pooled_output"])
        )
    else:
        logging.warning(
            "%s has no next-sentence head: next_sentence_probabilities are "
            "left out.",
            graph.source.checkpoint,
        )
    return outputs
