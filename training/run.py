"""Training by a configuration, and loading what was trained, for any task."""

from collections.abc import Callable, Mapping

import tensorflow as tf
from absl import logging

from bert.cli.config import TrainingConfig
from bert.modeling import checkpoint, randomness
from bert.modeling.multitask_model import Trainable
from bert.training import (
    checkpointing,
    failures,
    loop,
    memory,
    optimization,
    resume,
    strategy,
)
from bert.training.feeds import Feed
from bert.training.length import Length
from bert.training.loss_scale import LossScale
from bert.training.monitor import Monitor
from bert.training.objectives.multitask import Multitask

_details = logging.get_absl_logger().getChild("details")


# Returns, for a model in training, what computes its metrics.
MakeEvaluate = Callable[[Trainable], Callable[[], Mapping[str, float]]]


def train(
    config: TrainingConfig,
    length: Length,
    make_model: Callable[[int], Trainable],
    feed: Feed | Multitask,
    make_evaluate: MakeEvaluate | None = None,
    on_loaded: Callable[[], None] | None = None,
) -> str | None:
    """Trains from output_dir's newest checkpoint to num_train_steps.

    Call it in a strategy's scope.

    Args:
        config: the flags of training.
        length: how long to train.
        make_model: returns the model with start weights of a seed.
        feed: what it is trained on.
        make_evaluate: for evaluation while training.
        on_loaded: called on the chief once the checkpoint is loaded, before
            the first step.

    Returns:
        Why there was nothing to train, which is logged; None where there was.

    Raises:
        UserError: a checkpoint does not fit the model, a batch cannot be
            read, or the loss is not finite.
    """
    logging.info("  Batch size = %d", config.train_batch_size)
    logging.info("  Num steps = %d", length.num_train_steps)
    check_size(config, length)
    position = resume.find_position(config)
    if nothing := _nothing_left(config, length, position):
        logging.warning("%s", nothing)
        return nothing
    if length.num_warmup_steps >= length.num_train_steps:
        logging.warning(
            "The learning rate never reaches %g: warm-up takes %d steps of %d.",
            config.learning_rate,
            length.num_warmup_steps,
            length.num_train_steps,
        )
    state = position.state
    begins_with = position.reader or (
        checkpoint.Reader(config.init_checkpoint)
        if config.init_checkpoint
        else ()
    )
    with randomness.not_drawn(begins_with):
        model = make_model(state.seed)
    if config.freeze_layers is not None:
        model.backbone.freeze(config.freeze_layers)
    if config.recompute_activations:
        model.backbone.recompute_activations()
    trained = loop.Trained(
        model,
        _make_optimizer(config, length, model),
        LossScale() if config.precision == "float16" else None,
        feed.compile,
    )
    resume.load(position, trained, config.init_checkpoint, config.grow_labels)
    if on_loaded and strategy.is_chief():
        on_loaded()
    devices = tf.distribute.get_strategy()
    with failures.explained(
        lambda: memory.advice(
            *(config, model, devices.num_replicas_in_sync),
            feed.num_other_weights,
        )
    ):
        loop.TrainLoop(
            trained,
            feed.batches(state, _distributed),
            config,
            length.num_train_steps,
            state,
            _make_monitor(config, trained, make_evaluate),
        ).run()
    return None


def _distributed(
    make_batches: Callable[[tf.distribute.InputContext], tf.data.Dataset],
) -> tf.distribute.DistributedDataset:
    """Returns endless batches for all devices of the strategy in scope.

    Args:
        make_batches: makes those of a worker.
    """
    # Without its cardinality TensorFlow would ask all workers before each
    # batch whether there is one.
    known = tf.data.experimental.assert_cardinality(
        tf.data.INFINITE_CARDINALITY
    )
    return tf.distribute.get_strategy().distribute_datasets_from_function(
        lambda context: make_batches(context).apply(known)
    )


def _nothing_left(
    config: TrainingConfig, length: Length, position: resume.Position
) -> str | None:
    """Returns why nothing is left to train, and what to do, if so."""
    if position.reader is None:
        return None
    if position.step >= length.num_train_steps:
        return (
            f"Nothing to train: {position.reader.prefix} is at step "
            f"{position.step} already; to go on, raise --{length.flag} "
            f"({length.num_train_steps} steps now); for a new run name another "
            "--output_dir."
        )
    patience, state = config.early_stopping_patience, position.state
    if (
        patience
        and state.best_metric == config.save_best
        and state.evaluations_without_best >= patience
    ):
        return (
            "Nothing to train: the run stopped early at step "
            f"{position.step}; to go on, raise --early_stopping_patience "
            f"({patience} now)."
        )
    return None


def check_size(config: TrainingConfig, length: Length) -> None:
    """Checks how much is to be trained; call it in a strategy's scope.

    Raises:
        UserError: there is no step, or the devices cannot share a batch.
    """
    length.check(config.train_batch_size)
    strategy.check_batch(config)


def _make_monitor(
    config: TrainingConfig,
    trained: loop.Trained,
    make_evaluate: MakeEvaluate | None,
) -> Monitor | None:
    if config.eval_steps is None or make_evaluate is None:
        return None
    return Monitor(
        config,
        make_evaluate(trained.model),
        {
            **checkpoint.named_variables(trained.model),
            checkpoint.GLOBAL_STEP: trained.optimizer.global_step,
        },
    )


def _make_optimizer(
    config: TrainingConfig, length: Length, model: Trainable
) -> optimization.AdamWeightDecay:
    is_lamb = config.optimizer == "lamb"
    kind = optimization.Lamb if is_lamb else optimization.AdamWeightDecay
    return kind(
        {
            name: variable.value
            for name, variable in checkpoint.named_variables(model).items()
            if variable.trainable
        },
        optimization.learning_rate_schedule(
            config.learning_rate_schedule,
            config.learning_rate,
            length.num_train_steps,
            length.num_warmup_steps,
        ),
        optimization.AdamSettings(
            weight_decay=config.weight_decay,
            epsilon=config.adam_epsilon,
            bias_correction=config.adam_bias_correction,
        ),
        rate_factors=rate_factors(config, model),
    )


def rate_factors(config: TrainingConfig, model: Trainable) -> dict[str, float]:
    """Returns what the learning rates of weights are multiplied by, by name.

    See `Backbone.rate_factors`. Those of heads are the pooler's: 1.
    """
    own = model.backbone.rate_factors(config.layerwise_lr_decay)
    return {
        name: own.get(variable.path, 1.0)
        for name, variable in checkpoint.named_variables(model).items()
    }


def load_trained(model: Trainable, prefix: str, is_trained: bool) -> int:
    """Gives a model the weights to evaluate or predict with.

    Args:
        model: the model.
        prefix: a checkpoint's.
        is_trained: whether it is one that training left in output_dir.

    Returns:
        The checkpoint's global_step, for eval_results.txt; 0, as in the
        original, where nothing was trained in output_dir.

    Raises:
        UserError: the checkpoint does not fit the model.
    """
    reader = checkpoint.Reader(prefix)
    _details.info("Restoring parameters from %s", reader.prefix)
    checkpoint.check_layers(reader, model)
    checkpoint.load_weights(model, prefix).log()
    return checkpointing.step_of(reader) if is_trained else 0
