"""Fine-tunes BERT to label words: named entities, parts of speech.

Takes CoNLL files; writes checkpoints, eval_results.txt and predictions to
output_dir. See docs/ner.md.
"""

import dataclasses
import functools
import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import flags, logging

from bert.cli import command_line, environment, shared_flags, training_flags
from bert.data.tables import conll
from bert.errors import UserError
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.tasks import finetune

if TYPE_CHECKING:
    import numpy as np

    from bert.data.records.record_files import RecordSource
    from bert.modeling.heads import TokenModel
    from bert.tasks.finetune import Prepared
    from bert.tasks.tagging.metrics import Answers
    from bert.tasks.tagging.windows import Featurizer
    from bert.training.head_check import Start

FLAGS = flags.FLAGS

_OUTPUT_WEIGHTS = "cls/token/output_weights"
_PREDICTIONS = ("test_predictions.txt", "predictions.jsonl")
_RESULTS = (
    "train.tf_record",
    "eval.tf_record",
    "predict.tf_record",
    "eval_results.txt",
    "labels.txt",
    *_PREDICTIONS,
)
_RECORD_FILES = {
    "train": "train.tf_record",
    "dev": "eval.tf_record",
    "test": "predict.tf_record",
}


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    for name, text in (
        ("data_dir", "Folder with train.txt, dev.txt and test.txt."),
        ("train_file", "Training set. Default: train.txt in data_dir."),
        ("dev_file", "The set to evaluate. Default: dev.txt in data_dir."),
        (
            "test_file",
            "The set to predict; needs no labels. Default: test.txt in "
            "data_dir.",
        ),
        (
            "labels",
            "All labels, separated by commas, or a file with one a line. "
            "Default: those kept with the model (labels.txt) where it is "
            "evaluated, used or trained on in output_dir; else those of the "
            "training set.",
        ),
    ):
        flags.DEFINE_string(name, None, text, flag_values=flag_values)
    for name, default, text in (
        ("token_column", 0, "Column of the words, from 0; -1 is the last."),
        ("label_column", -1, "Column of the labels, from 0; -1 is the last."),
    ):
        flags.DEFINE_integer(name, default, text, flag_values=flag_values)
    shared_flags.define_eval_batch_size(flag_values)


@dataclasses.dataclass(frozen=True)
class Config(finetune.Config):
    """The values of a run's flags, by their names; checked together."""

    eval_batch_size: int
    data_dir: str | None
    train_file: str | None
    dev_file: str | None
    test_file: str | None
    labels: str | None
    token_column: int
    label_column: int

    def __post_init__(self):
        super().__post_init__()
        if self.token_column == self.label_column:
            raise UserError(
                "--token_column and --label_column must differ. Received: "
                f"{self.token_column} for both."
            )
        for name in self.needed_sets:
            self.path(name)

    @property
    def needed_sets(self) -> list[str]:
        """The sets that the do_* flags ask for: train, dev, test."""
        evaluates = self.do_eval or (self.do_train and self.eval_steps)
        asked = {
            "train": self.do_train,
            "dev": evaluates,
            "test": self.do_predict,
        }
        return [name for name, is_needed in asked.items() if is_needed]

    def path(self, name: str) -> str:
        """Returns where a set is; UserError where no flag says so."""
        path = getattr(self, f"{name}_file")
        if path or self.data_dir:
            return path or os.path.join(self.data_dir, f"{name}.txt")
        raise UserError(
            f"--{name}_file must be given, or --data_dir, the folder with "
            f"{name}.txt."
        )


class Data(NamedTuple):
    """All that a command reads.

    Attributes:
        sets: those that its do_* flags ask for: train, dev, test.
        labels: the model's, in the order of their numbers.
    """

    sets: dict[str, conll.Corpus]
    labels: list[str]


def main() -> None:
    """Flags → sentences → records → training → evaluation → prediction."""
    environment.prepare()
    tag(Config.from_flags(FLAGS))


def tag(config: Config) -> None:
    """Checks what the run needs, then trains, evaluates and predicts.

    Raises:
        UserError: a file, a label or a checkpoint is not what it must be.
    """
    # Here, so that --help needs no TensorFlow.
    from bert.tasks.tagging import metrics

    finetune.check_results(
        config, _RESULTS, config.train_file, config.dev_file, config.test_file
    )
    start = finetune.find_start(config, _OUTPUT_WEIGHTS)
    data = read_data(config, start)
    start.check_outputs(len(data.labels))
    config.check_metric(metrics.metric_names(data.labels))
    prepared = finetune.prepare(config)
    featurizer = make_featurizer(config, prepared, data.labels)
    num_examples = 0
    if config.do_train:
        sentences = data.sets["train"].sentences
        num_examples = sum(map(featurizer.num_windows, sentences))
    with prepared.worker_barrier():
        with prepared.strategy.scope():
            finetune.check_model(
                config,
                start,
                num_examples,
                functools.partial(make_model, prepared, data.labels),
            )
            sources = write_records(config, prepared, data, featurizer)
            if config.do_train:
                train(config, prepared, data, sources, num_examples)
            if config.do_eval or config.do_predict:
                use(config, prepared, data, sources)
        finetune.export(config, prepared, task_of(config), data.labels)


def use(
    config: Config,
    prepared: "Prepared",
    data: Data,
    sources: Mapping[str, "RecordSource"],
) -> None:
    """Evaluates and predicts, as far as the command says so."""
    model = make_model(prepared, data.labels)
    step = finetune.load(config, model)
    if not prepared.is_chief:
        return
    if config.do_eval:
        rows = answers_of(
            prepared, model, sources["dev"], config.eval_batch_size
        )
        evaluate(config, data, rows, step)
    if config.do_predict:
        rows = answers_of(
            prepared, model, sources["test"], config.predict_batch_size
        )
        predict(config, data, rows)


def task_of(config: Config) -> task_files.Task:
    """Returns what the model is for, as it is kept with its checkpoints."""
    return task_files.Task(
        task="ner",
        do_lower_case=config.do_lower_case,
        max_seq_length=config.max_seq_length,
    )


def read_data(config: Config, start: "Start") -> Data:
    """Reads the files that the command needs, and checks their labels.

    Args:
        config: the run's.
        start: the checkpoint that the run begins with.
    """
    columns = conll.Columns(config.token_column, config.label_column)
    sets = {
        name: conll.read_conll(
            config.path(name), columns, needs_labels=name != "test"
        )
        for name in config.needed_sets
    }
    labels = choose_labels(config, start, sets.get("train"))
    for name in ("train", "dev"):
        if name in sets:
            conll.check_labels(
                sets[name], labels.names, f"those of {labels.origin}"
            )
    return Data(sets, labels.names)


def choose_labels(
    config: Config, start: "Start", train: conll.Corpus | None
) -> label_files.Labels:
    """Returns the model's labels, and where they come from.

    Those of --labels; else, for a model in output_dir and without training,
    those kept with the model; else those in the training set.

    Raises:
        UserError: there are none, or they are not those of the model.
    """
    kept = finetune.kept_labels(config, start)
    goes_on = start.is_resumed and kept is not None
    labels = label_files.choose(
        config.labels, kept, from_training_set=config.do_train and not goes_on
    )
    if labels is None:
        labels = label_files.Labels(conll.labels_of(train), train.path)
        label_files.check_kept(labels, kept)
    label_files.check_names(labels.names, labels.origin)
    return labels


def write_records(
    config: Config, prepared: "Prepared", data: Data, featurizer: "Featurizer"
) -> dict[str, "RecordSource"]:
    """Writes each set's windows to a file of records, in output_dir."""
    from bert.data.records import fields as record_fields
    from bert.data.records import record_reuse

    fields = record_fields.tagging_fields(config.max_seq_length)
    limits = {"label_ids": len(data.labels), "label_mask": 2}
    sources = {}
    for name, corpus in data.sets.items():
        sentences = corpus.sentences
        if name == "test":
            # Its labels, if any, are only copied: they may be others.
            sentences = [s._replace(labels=None) for s in sentences]
        path = finetune.write_records(
            config.output_dir,
            _RECORD_FILES[name],
            fields,
            itertools.chain.from_iterable(map(featurizer.features, sentences)),
            record_reuse.made_from(
                prepared.tokenizer, fields, map(featurizer.inputs, sentences)
            ),
        )
        sources[name] = finetune.source(prepared, path, fields, limits)
    return sources


def make_featurizer(
    config: Config, prepared: "Prepared", labels: Sequence[str]
) -> "Featurizer":
    """Returns what turns sentences into windows of the model's length."""
    from bert.tasks.tagging import windows

    return windows.Featurizer(
        prepared.tokenizer,
        {label: number for number, label in enumerate(labels)},
        config.max_seq_length,
    )


def make_model(
    prepared: "Prepared", labels: Sequence[str], seed: int | None = None
) -> "TokenModel":
    """Returns the model, with start weights of a seed."""
    from bert.modeling.heads import TokenModel

    return TokenModel(
        prepared.bert_config,
        len(labels),
        compute_dtype=prepared.compute_dtype,
        init_seed=seed,
    )


def train(
    config: Config,
    prepared: "Prepared",
    data: Data,
    sources: Mapping[str, "RecordSource"],
    num_examples: int,
) -> None:
    """Trains from where output_dir's run stands.

    Keeps the labels and the task there.
    """
    from bert.tasks.tagging import metrics

    def make_evaluate(model):
        rows = answers_of(
            prepared, model, sources["dev"], config.eval_batch_size
        )
        return lambda: figures_of(config, data, metrics.collect(rows))

    if prepared.is_chief:
        label_files.write(config.output_dir, data.labels)
    finetune.keep_task(config, prepared, task_of(config))
    finetune.train(
        config,
        prepared,
        sources["train"],
        num_examples,
        functools.partial(make_model, prepared, data.labels),
        make_evaluate,
    )


def answers_of(
    prepared: "Prepared",
    model: "TokenModel",
    source: "RecordSource",
    batch_size: int,
) -> finetune.Rows:
    """Returns what `tasks.tagging.metrics.collect` takes, row by row."""
    import tensorflow as tf

    def select(outputs, batch):
        probabilities = tf.nn.softmax(outputs["logits"])
        losses = model.losses(outputs, batch)["token"]
        mask = batch["label_mask"]
        return {
            "label_mask": mask,
            "label_ids": tf.argmax(probabilities, axis=-1),
            "probabilities": tf.reduce_max(probabilities, axis=-1),
            "losses": tf.reshape(losses, tf.shape(mask)),
        }

    return finetune.Rows(prepared, model, source, batch_size, select)


def figures_of(
    config: Config, data: Data, answers: "Answers", with_report: bool = False
) -> dict[str, "np.float32"]:
    """Returns the metrics of the dev set.

    Args:
        config: the run's.
        data: with the dev set.
        answers: the model's.
        with_report: whether to log the figures of each type of entity.
    """
    from bert.tasks.tagging import metrics

    gold = [sentence.labels for sentence in data.sets["dev"].sentences]
    predicted = labels_of_sentences(answers, data.sets["dev"], data.labels)
    if with_report and metrics.is_entity_scheme(data.labels):
        for line in metrics.report(gold, predicted).splitlines():
            logging.info("%s", line)
    return {
        **metrics.metrics(gold, predicted, data.labels),
        **metrics.losses(answers, config.eval_batch_size),
    }


def labels_of_sentences(
    answers: "Answers", corpus: conll.Corpus, labels: Sequence[str]
) -> list[list[str]]:
    """Returns the labels predicted for each sentence's words."""
    predicted = iter(answers.label_ids.tolist())
    return [
        [labels[next(predicted)] for _ in sentence.words]
        for sentence in corpus.sentences
    ]


def evaluate(
    config: Config, data: Data, rows: finetune.Rows, step: int
) -> None:
    """Writes eval_results.txt."""
    from bert.tasks.tagging import metrics
    from bert.training import results

    logging.info("***** Running evaluation *****")
    logging.info("  Num sentences = %d", len(data.sets["dev"].sentences))
    logging.info("  Batch size = %d", config.eval_batch_size)
    figures = figures_of(config, data, metrics.collect(rows), with_report=True)
    results.write_eval_results(config.output_dir, figures, step)


def predict(config: Config, data: Data, rows: finetune.Rows) -> None:
    """Writes test_predictions.txt and predictions.jsonl."""
    from bert.files import atomic_files
    from bert.tasks.tagging import metrics

    test = data.sets["test"]
    logging.info("***** Running prediction *****")
    logging.info("  Num sentences = %d", len(test.sentences))
    logging.info("  Batch size = %d", config.predict_batch_size)
    answers = metrics.collect(rows)
    predicted = labels_of_sentences(answers, test, data.labels)
    # Both, before one is written: a probability may be no number.
    texts = (
        "".join(conll.conll_text(test, predicted)),
        "".join(conll.json_lines(test, predicted, answers.probabilities)),
    )
    for name, text in zip(_PREDICTIONS, texts, strict=True):
        path = os.path.join(config.output_dir, name)
        atomic_files.write_text(path, text)
        logging.info("Wrote %s", path)


if __name__ == "__main__":
    command_line.run(main, define_flags)
