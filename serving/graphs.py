"""Trained models as functions of ids, which need no class of this project.

Letters of shapes: B batch, S sequence.
"""

import dataclasses
from collections.abc import Collection

import tensorflow as tf
from absl import logging

from bert.errors import UserError
from bert.model_folder.files import ModelFiles
from bert.modeling import checkpoint, randomness
from bert.modeling.export_mode import export_mode
from bert.modeling.fixed_weights import fixed_weights
from bert.modeling.task_model import TaskModel
from bert.tasks import inference
from bert.tasks.inference import Inference, Tensors
from bert.tasks.spec import INPUTS

SIGNATURE = [tf.TensorSpec([None, None], tf.int32, name) for name in INPUTS]


class Graph:
    """A trained model, ready to be called (`serve`) or saved.

    Args:
        source: the model's files.
        top_k: words kept for each position by the task pretraining.

    Arguments of `serve`:
        input_ids: int32 [B, S]; any B and S.
        input_mask: int32 [B, S], 1 for real tokens, 0 for padding.
        segment_ids: int32 [B, S].

    It returns:
        A dict of `names`, as the `outputs` of the task's row in `tasks.spec`
        describe them; float32, but ids int32. Outputs at padding positions
        are meaningless; those at other positions do not depend on padding.

    Attributes:
        source: the model's files.
        inference: the task's.
        model: with the checkpoint's weights, which are float32.
        names: of the outputs. The optional ones that the checkpoint has no
            weights for are left out.
        weights: the checkpoint's variables by their names there.
        untrained: variables that the checkpoint lacks. They are in the graph,
            but no output depends on them.
        serve: the function of a batch, a tf.function.
        attention: a tf.function likewise, which returns the attention
            probabilities, float32 [B, layers, heads, S, S].

    Raises:
        UserError: the checkpoint is not one of this task and these sizes.
    """

    def __init__(self, source: ModelFiles, top_k: int = 10):
        self.source = source
        self.inference = inference.make(source, top_k=top_k)
        with randomness.not_drawn(checkpoint.Reader(source.checkpoint)):
            self.model = self.inference.make_model(source.compute_dtype)
        self.weights, self.untrained = _load(
            self.model, source, self.inference.spec.optional_weights
        )
        self.names = _output_names(
            self.inference, source, self.model, self.weights
        )

        def serve(
            input_ids: tf.Tensor, input_mask: tf.Tensor, segment_ids: tf.Tensor
        ) -> Tensors:
            values = (input_ids, input_mask, segment_ids)
            batch = dict(zip(INPUTS, values, strict=True))
            if source.compute_dtype == "float32":
                with export_mode():
                    return self.inference.outputs(self.model, batch, self.names)
            # It stays in this process: nothing of it is for other processors.
            with fixed_weights():
                found = self.inference.outputs(self.model, batch, self.names)
            return {name: _widened(values) for name, values in found.items()}

        # Without autograph: it is a tenth of the time to load a model.
        self.serve, self.attention = (
            tf.function(each, input_signature=SIGNATURE, autograph=False)
            for each in (serve, self._attention)
        )

    def _attention(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
    ) -> tf.Tensor:
        with export_mode():
            encoded = self.model.backbone(
                input_ids,
                input_mask=input_mask,
                segment_ids=segment_ids,
                with_attention=True,
            )
        return tf.stack(encoded["attention_probs"], axis=1)

    def make_encode(self) -> tf.types.experimental.PolymorphicFunction:
        """Returns the encoder as a function that can be trained.

        For tasks whose outputs are the encoder's.

        Call arguments:
            input_ids, input_mask, segment_ids: as of the graph.
            training: a Python bool: whether to drop.
            seed: int32 [2], decides what is dropped; not used where training
                is False.

        Returns:
            The outputs of the graph.
        """

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
            return {name: outputs[name] for name in self.names}

        for training in (False, True):
            encode.get_concrete_function(
                *SIGNATURE,
                training=training,
                seed=tf.TensorSpec([2], tf.int32, "seed"),
            )
        return encode


def _widened(values: tf.Tensor) -> tf.Tensor:
    """Returns bfloat16 as float32, and others as they are."""
    is_narrow = values.dtype == tf.bfloat16
    return tf.cast(values, tf.float32) if is_narrow else values


def _load(
    model: TaskModel, source: ModelFiles, optional: tuple[str, ...]
) -> tuple[dict[str, tf.Variable], list[tf.Variable]]:
    """Loads the checkpoint.

    Args:
        model: gets the weights.
        source: the model's files.
        optional: beginnings of the names that the checkpoint may lack; see
            `Spec`.

    Returns:
        The variables that are in it, by name, and those that are not.

    Raises:
        UserError: it lacks others.
    """
    variables = checkpoint.named_variables(model)
    checkpoint.check_layers(checkpoint.Reader(source.checkpoint), model)
    report = checkpoint.load_weights(model, source.checkpoint)
    missing = [
        name
        for name in report.fresh
        if not checkpoint.without_scope(name, model).startswith(optional)
    ]
    # What optional outputs need has a line of its own.
    dataclasses.replace(report, fresh=tuple(missing)).log()
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


def _output_names(
    task: Inference,
    source: ModelFiles,
    model: TaskModel,
    loaded: Collection[str],
) -> list[str]:
    """Returns the outputs that there are weights for; warns of the others.

    Args:
        task: says what an output needs.
        source: the model's files.
        model: the model; of weights that it has not, an output needs none.
        loaded: the names of those that the checkpoint has.
    """
    is_there: dict[str, bool] = {}
    for name in checkpoint.named_variables(model):
        is_there[checkpoint.without_scope(name, model)] = name in loaded

    def has(prefix: str) -> bool:
        found = [is_there[n] for n in is_there if n.startswith(prefix)]
        return any(found) or not found

    names = []
    for name in task.spec.outputs:
        optional = task.optional_outputs.get(name)
        if optional is None or all(map(has, optional.weights)):
            names.append(name)
        else:
            logging.warning("%s %s.", source.checkpoint, optional.missing)
    return names
