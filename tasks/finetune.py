"""What the scripts that fine-tune have in common.

A script looks for the checkpoint that its run begins with (`find_start`), reads
its examples and checks them, calls `prepare` and `check_model`, writes records
with `write_records`, and then trains with `train` and gets its model's answers,
row by row in the order of the file, from `Rows`. Up to `check_model` nothing is
written.
"""

import atexit
import collections
import contextlib
import dataclasses
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import logging

from bert.cli.config import TrainingConfig
from bert.data.records import record_reuse
from bert.errors import UserError
from bert.model_folder import labels, task_files

# TensorFlow is imported where it is used, so that --help needs none.
if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from bert.data.records import record_files
    from bert.data.records.fields import Field
    from bert.data.text import tokenization
    from bert.model_folder.task_files import Task
    from bert.modeling import BertConfig
    from bert.modeling.task_model import Batch, TaskModel
    from bert.training.head_check import Start
    from bert.training.run import Length, MakeEvaluate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """The values of the flags that all scripts share, by their names."""

    vocab_file: str
    do_lower_case: bool
    do_predict: bool
    predict_batch_size: int
    num_train_epochs: float
    warmup_proportion: float
    shuffle_buffer_size: int | None
    length_buckets: bool

    def __post_init__(self):
        does = (self.do_train, self.do_eval, self.do_predict, self.do_export)
        if not any(does):
            raise UserError(
                "At least one of --do_train, --do_eval, --do_predict and "
                "--do_export must be true; none is."
            )
        if self.do_train and self.save_best and not self.eval_steps:
            raise UserError(
                "--save_best needs --eval_steps: how often to look for "
                "something better."
            )
        if self.early_stopping_patience and self.save_best is None:
            raise UserError(
                "--early_stopping_patience needs --save_best: the metric that "
                "is to get better."
            )

    def check_metric(self, names: Sequence[str]) -> None:
        """Raises UserError where --save_best is none of a task's metrics."""
        if self.save_best is not None and self.save_best not in names:
            raise UserError(
                "--save_best must be one of the metrics "
                f"{', '.join(sorted(names))}. Received: {self.save_best!r}."
            )


class Prepared(NamedTuple):
    """What a run works with.

    Attributes:
        strategy: open its scope for all that follows, inside of
            `worker_barrier`.
        bert_config: the model's sizes.
        tokenizer: with the model's vocabulary.
        compute_dtype: of the matrix products.
    """

    strategy: "tf.distribute.Strategy"
    bert_config: "BertConfig"
    tokenizer: "tokenization.FullTokenizer"
    compute_dtype: str = "float32"

    def worker_barrier(self) -> contextlib.AbstractContextManager[None]:
        """Makes all workers wait at its end; goes round the scope."""
        from bert.training import strategy

        return strategy.worker_barrier(self.strategy)

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the results."""
        from bert.training import strategy

        with self.strategy.scope():
            return strategy.is_chief()

    @property
    def fixed_shapes(self) -> bool:
        """Whether every batch must have the same shape."""
        from bert.training import strategy

        return strategy.needs_fixed_shapes(self.strategy)


class RecordFile(NamedTuple):
    """A file of records.

    Attributes:
        path: where it is.
        lengths: of each record, without padding.
    """

    path: str
    lengths: Sequence[int]


def check_results(
    config: Config, results: Sequence[str], *inputs: str | None
) -> None:
    """Looks whether a command's results can be written where they belong.

    Args:
        config: the run's.
        results: the names of the files that the script writes to output_dir.
        *inputs: files that the command reads, beside the model's; None where
            a flag is not given.

    Raises:
        UserError: a result would replace an input, or a folder is in its
            place, or a file in that of a folder, or something else in that of
            the export.
    """
    read = [config.vocab_file, config.bert_config_file, *inputs]
    real = {os.path.realpath(path): path for path in read if path}
    fingerprints = [
        name + record_reuse.SUFFIX
        for name in results
        if name.endswith(".tf_record")
    ]
    for name in [*results, *fingerprints]:
        path = os.path.join(config.output_dir, name)
        if os.path.realpath(path) in real:
            raise UserError(
                f"{real[os.path.realpath(path)]} would be replaced by this "
                f"command's own {name}; give another --output_dir, or move "
                "the file."
            )
        if os.path.isdir(path):
            raise UserError(
                f"Expected a file, or nothing, in the place of {path}. "
                "Received: a folder; give another --output_dir."
            )
    if config.do_export:
        from bert.serving import export

        export.check_run(config)
    for name in ("best", "eval"):
        path = os.path.join(config.output_dir, name)
        if os.path.isfile(path):
            raise UserError(
                f"Expected a folder, or nothing, in the place of {path}. "
                "Received: a file; give another --output_dir."
            )


def find_start(config: Config, head: str, uses_pooler: bool = False) -> "Start":
    """Looks for the checkpoint that a run begins with.

    Args:
        config: the run's.
        head: the name of the task's output weights.
        uses_pooler: whether they stand on the pooler.

    Raises:
        UserError: there is none to evaluate or predict with, or it is none of
            this task; see `head_check.find_start`.
    """
    from bert.model_folder import locate
    from bert.training import head_check

    locate.check_checkpoints(
        config.output_dir, config.init_checkpoint, config.do_train
    )
    return head_check.find_start(
        config.output_dir,
        config.init_checkpoint,
        head,
        trains=config.do_train,
        uses_pooler=uses_pooler,
    )


def kept_labels(config: Config, start: "Start") -> labels.Labels | None:
    """Returns the labels that stand beside the head that a run begins with.

    Without a head, or without labels.txt, None. What lies in an output_dir
    that has no checkpoint is not a model's.
    """
    from bert.model_folder import locate

    if start.num_outputs is None or start.reader is None:
        return None
    return locate.labels(os.path.dirname(start.reader.prefix))


def prepare(config: Config) -> Prepared:
    """Makes the strategy, and checks the model's files.

    Raises:
        UserError: one of them is not what it must be.
    """
    from bert.data.text import tokenization
    from bert.modeling import BertConfig
    from bert.training import strategy

    # First of all: some strategies must be made before any operation runs.
    chosen = strategy.create(config)
    tokenization.validate_case_matches_checkpoint(
        config.do_lower_case, config.init_checkpoint
    )
    bert_config = BertConfig.from_json_file(config.bert_config_file)
    bert_config.check_sequence_length(config.max_seq_length)
    layers = bert_config.num_hidden_layers
    if (config.freeze_layers or 0) > layers:
        raise UserError(
            f"--freeze_layers must be at most {layers}, the layers that "
            f"{config.bert_config_file} has. Received: {config.freeze_layers}."
        )
    tokenizer = tokenization.FullTokenizer(
        config.vocab_file, do_lower_case=config.do_lower_case
    )
    tokenizer.check_fits(bert_config.vocab_size, config.bert_config_file)
    return Prepared(chosen, bert_config, tokenizer, config.compute_dtype)


def check_model(
    config: Config,
    start: "Start",
    num_examples: int,
    make_model: "Callable[[int], TaskModel]",
) -> None:
    """Checks what is left to check before the first file, and makes output_dir.

    Call it in the strategy's scope.

    Args:
        config: the run's.
        start: the checkpoint that the run begins with.
        num_examples: see `train`; 0 where nothing is trained.
        make_model: see `train`.

    Raises:
        UserError: there are too few examples for a step, devices cannot share
            a batch, a checkpoint does not fit the model, there is none of the
            best weights, another model's files are in output_dir, or nothing
            can be written there.
    """
    from bert.model_folder import locate
    from bert.training import checkpointing, head_check, monitor, resume, run

    steps = 0
    if config.do_train:
        length = _length(config, num_examples)
        run.check_size(config, length)
        steps = length.num_train_steps
    best = None
    if config.save_best and config.do_train:
        # Left by an earlier part of the run; it may stay the best.
        best = checkpointing.newest(monitor.best_folder(config.output_dir))
    elif config.save_best:
        best = locate.best_checkpoint(config.output_dir, config.save_best)
    head_check.check_model(
        start,
        lambda: make_model(0),
        num_train_steps=steps,
        freeze_layers=config.freeze_layers,
        best=best,
    )
    if config.do_train:
        task_files.check(
            config.output_dir, config.bert_config_file, config.vocab_file
        )
    if config.do_train and start.reader is None:
        logging.warning(
            "--init_checkpoint is not given: training starts from random "
            "weights."
        )
    from bert.training import strategy

    if strategy.is_chief():
        resume.prepare_output_dir(config.output_dir)


def _length(config: Config, num_examples: int) -> "Length":
    from bert.training import run

    steps = int(
        num_examples / config.train_batch_size * config.num_train_epochs
    )
    return run.Length(
        steps, int(steps * config.warmup_proportion), "num_train_epochs"
    )


def write_records(
    output_dir: str,
    name: str,
    fields: "Sequence[Field]",
    features: Iterable[Mapping[str, Sequence[float]]],
    made_from: str,
    num_logged: int = 0,
) -> RecordFile:
    """Writes a record file into output_dir.

    A file that already has these records is left as it is. Every worker needs
    the file, and only the chief writes to output_dir; the others write to a
    temporary folder of their own, unless they find it in output_dir.

    Args:
        output_dir: exists.
        name: the file's name.
        fields: what to write.
        features: of each example, in order; not used up where the file is
            there.
        made_from: see `record_reuse.made_from`.
        num_logged: features that are made in any case, since the first ones
            are logged when they are made.
    """
    from bert.data.records import record_writer
    from bert.training import strategy

    path = os.path.join(output_dir, name)
    written = record_reuse.current(path, made_from)
    if written:
        collections.deque(itertools.islice(features, num_logged), maxlen=0)
        logging.info("The records in %s are used again", path)
        return RecordFile(path, written.lengths)
    is_chief = strategy.is_chief()
    if not is_chief:
        folder = tempfile.mkdtemp(prefix="bert-worker-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, name)
    written = record_writer.write(path, fields, features)
    if is_chief:
        record_reuse.keep(path, made_from, written)
    logging.info("Wrote records to %s", path)
    return RecordFile(path, written.lengths)


def source(
    prepared: Prepared,
    file: RecordFile,
    fields: "Sequence[Field]",
    limits: Mapping[str, int] | None = None,
) -> "record_files.RecordSource":
    """Returns the records of a file and what must hold for them.

    Args:
        prepared: the run's.
        file: what `write_records` returned.
        fields: what is in it.
        limits: of the task's own features.
    """
    from bert.data.records import record_files

    return record_files.RecordSource(
        files=[file.path],
        fields=fields,
        lengths=file.lengths,
        limits={
            "input_ids": prepared.bert_config.vocab_size,
            "segment_ids": prepared.bert_config.type_vocab_size,
            **(limits or {}),
        },
    )


def train(
    config: Config,
    prepared: Prepared,
    source: "record_files.RecordSource",
    num_examples: int,
    make_model: "Callable[[int], TaskModel]",
    make_evaluate: "MakeEvaluate | None" = None,
    cut: bool = True,
) -> None:
    """Trains num_train_epochs, from where output_dir's run stands.

    Args:
        config: the run's.
        prepared: the run's; its strategy's scope is open.
        source: the training records.
        num_examples: what an epoch is counted in.
        make_model: returns the model with start weights of a seed.
        make_evaluate: for --eval_steps: returns, for the model, what computes
            its metrics at any moment.
        cut: leave out padding, which then may have no part in the loss.

    Raises:
        UserError: a checkpoint does not fit the model, there are too few
            examples for a step, or the loss is not finite.
    """
    from bert.data.records import input_pipeline
    from bert.training import run

    cut = cut and not prepared.fixed_shapes
    length = _length(config, num_examples)
    logging.info("***** Running training *****")
    logging.info("  Num examples = %d", num_examples)
    logging.info("  Batch size = %d", config.train_batch_size)
    logging.info("  Num steps = %d", length.num_train_steps)
    run.train(
        config,
        length,
        make_model,
        lambda state, context: input_pipeline.train_batches(
            source,
            config.train_batch_size,
            seed=state.seed,
            shuffle_buffer_size=config.shuffle_buffer_size,
            examples_seen=state.examples_seen,
            context=context,
            cut=cut,
            group=cut and config.length_buckets,
        ),
        unreadable(source),
        make_evaluate,
    )


def load(config: Config, model: "TaskModel") -> int:
    """Gives a model the weights to evaluate or predict with.

    Those of output_dir's newest checkpoint, or best one under --save_best,
    else init_checkpoint's.

    Returns:
        The checkpoint's global_step; 0 where nothing was trained.
    """
    from bert.model_folder import locate
    from bert.training import checkpointing, monitor, run

    best = monitor.best_folder(config.output_dir)
    if not config.save_best and checkpointing.newest(best):
        logging.warning(
            "%s has the weights that were best in training; with --save_best "
            "they would be used instead of the newest.",
            best,
        )
    trained = locate.trained_checkpoint(config.output_dir, config.save_best)
    return run.load_trained(model, trained, config.init_checkpoint)


def keep_task(config: Config, prepared: Prepared, task: "Task") -> None:
    """Keeps in output_dir what its checkpoints mean: see `task_files`."""
    if prepared.is_chief:
        task_files.write(
            config.output_dir, task, config.bert_config_file, config.vocab_file
        )


def export(
    config: Config, prepared: Prepared, task: "Task", labels: Sequence[str] = ()
) -> None:
    """Exports the weights that `load` takes, if the command says so.

    Call it outside of the strategy's scope.

    Args:
        config: the run's.
        prepared: the run's; only the chief exports.
        task: what the model is for.
        labels: the model's, in the order of their numbers.
    """
    if not (config.do_export and prepared.is_chief):
        return
    from bert.serving import export

    export.export_run(config, task, config.vocab_file, labels)


class Rows:
    """What a model makes of the rows of a file, in their order.

    Can be iterated again and again, each time with the weights of the moment.

    Args:
        prepared: the run's; its strategy's scope is open.
        model: a task model.
        source: the records.
        batch_size: rows that are computed together, of like length.
        select: what to keep, from a model's outputs and its batch; tensors
            [B, ...]. A row's entries for padding may be missing.
    """

    def __init__(
        self,
        prepared: Prepared,
        model: "TaskModel",
        source: "record_files.RecordSource",
        batch_size: int,
        select: "Callable[[dict, Batch], dict[str, tf.Tensor]]",
    ):
        from bert.data.records import input_pipeline
        from bert.training import loop

        self._forward = loop.Forward(
            model,
            lambda outputs, batch: {
                **select(outputs, batch),
                "row": batch["row"],
            },
        )
        self._batches = loop.Batches(
            input_pipeline.predict_batches(
                source, batch_size, fixed_shapes=prepared.fixed_shapes
            ),
            unreadable(source),
        )

    def __iter__(self) -> "Iterator[dict[str, np.ndarray]]":
        """Yields a dict of arrays for each row of the file."""
        from bert.data.records import length_sorting

        return length_sorting.in_file_order(self._forward(self._batches))


def batch_mean(
    losses: "Sequence[float] | np.ndarray", batch_size: int
) -> float:
    """Returns the mean over batches of their mean loss, as the original's.

    Args:
        losses: of each row, in the order of the file.
        batch_size: rows of a batch; the last one may be shorter.
    """
    import numpy as np

    losses = np.asarray(losses, np.float64)
    starts = range(0, len(losses), batch_size)
    return float(np.mean([losses[i : i + batch_size].mean() for i in starts]))


def unreadable(source: "record_files.RecordSource"):
    """Returns what the loop says of a record that cannot be read."""
    import functools

    from bert.data.records import record_files
    from bert.training import loop

    return loop.Unreadable(
        record_files.READ_ERRORS,
        functools.partial(record_files.explain, source),
    )
