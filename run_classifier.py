"""Fine-tunes BERT to classify texts or pairs of texts, and to score them.

The tasks of the original and of GLUE, one's own tsv, csv and jsonl files, and
tasks that Python code adds to `processors`. See docs/classification.md.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from absl import flags, logging

from bert.cli import (
    command_line,
    environment,
    shared_flags,
    table_flags,
    training_flags,
)
from bert.data.text.tokenization import (  # noqa: F401 (people import them from here)
    BasicTokenizer,
    FullTokenizer,
    WordpieceTokenizer,
)
from bert.errors import UserError
from bert.model_folder import labels as label_files
from bert.model_folder import task_files
from bert.tasks import finetune
from bert.tasks.classification import features as classification_features
from bert.tasks.classification import glue
from bert.tasks.classification import sets as classification_sets
from bert.tasks.classification.processors import (
    ColaProcessor,
    DataProcessor,
    InputExample,
    MnliProcessor,
    MrpcProcessor,
    XnliProcessor,
)
from bert.tasks.classification.table_files import (
    FORMATS,
    KINDS,
    TableProcessor,
    TableSettings,
    given_flags,
)

if TYPE_CHECKING:
    from bert.data.records.record_files import RecordSource
    from bert.modeling.classifiers import ClassifierModel

FLAGS = flags.FLAGS

_RESULTS = (
    "train.tf_record",
    "eval.tf_record",
    "predict.tf_record",
    "eval_results.txt",
    "labels.txt",
    "test_results.tsv",
    "predictions.jsonl",
)

# The tasks by the names that --task_name takes. Code that imports this module
# may add its own.
processors: dict[str, Callable[[], DataProcessor]] = {
    "cola": ColaProcessor,
    "mnli": MnliProcessor,
    "mrpc": MrpcProcessor,
    "xnli": XnliProcessor,
    **glue.PROCESSORS,
}


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=128)
    own = {"flag_values": flag_values}
    flags.DEFINE_string("data_dir", None, "Folder of the task's files.", **own)
    flags.DEFINE_string(
        "task_name",
        None,
        f"{', '.join(processors)}; or, for files of one's own, "
        f"{', '.join(FORMATS)}.",
        **own,
    )
    shared_flags.required(flag_values, "task_name")
    table_flags.define_table_flags(flag_values)
    table_flags.define_result_flags(flag_values)
    flags.register_validator(
        "data_dir",
        lambda value: bool(
            value or (flag_values["task_name"].value or "").lower() in FORMATS
        ),
        "must be given",
        flag_values,
    )
    shared_flags.define_eval_batch_size(flag_values)


@dataclasses.dataclass(frozen=True)
class Config(finetune.Config):
    """The values of a run's flags, by their names; checked together."""

    data_dir: str | None
    task_name: str
    eval_batch_size: int
    train_file: str | None
    dev_file: str | None
    test_file: str | None
    text_column: str
    pair_column: str | None
    label_column: str
    id_column: str | None
    header: bool
    label_type: str
    label_separator: str
    labels: str | None
    class_weights: str | None
    predictions_text: bool
    glue_submission: bool

    def __post_init__(self):
        super().__post_init__()
        name = self.task_name.lower()
        if name not in FORMATS and name not in processors:
            raise UserError(
                f"Task not found: {name}. Expected --task_name to be one of "
                f"{', '.join([*processors, *FORMATS])}."
            )
        given = given_flags(self)
        if given and name not in FORMATS:
            raise UserError(
                f"--{given[0]} is for one's own files "
                f"(--task_name={'|'.join(FORMATS)}); leave it out. Received: "
                f"--task_name={self.task_name}."
            )
        if self.glue_submission and not self.do_predict:
            raise UserError(
                "--glue_submission needs --do_predict, whose results it writes."
            )
        task = processors.get(name)
        if self.glue_submission and not getattr(task, "glue_name", None):
            raise UserError(
                "--glue_submission is for the tasks of GLUE. Received: "
                f"--task_name={self.task_name}."
            )
        if not self.label_separator:
            raise UserError("--label_separator must not be empty.")
        if self.label_type == "regression" and self.labels is not None:
            raise UserError(
                "--labels is for names; those of --label_type=regression are "
                f"numbers. Received: {self.labels!r}; leave it out."
            )


class Job(NamedTuple):
    """What all steps of the pipeline need.

    Attributes:
        config: the flags' values.
        prepared: strategy, configuration and tokenizer.
        processor: the task.
        labels: their places are their ids; none in regression.
    """

    config: Config
    prepared: finetune.Prepared
    processor: DataProcessor
    labels: Sequence[str]

    @property
    def kind(self) -> str:
        """See `DataProcessor`."""
        return self.processor.kind

    @property
    def task(self) -> task_files.Task:
        """What the model is for, as it is kept with its checkpoints."""
        return task_files.Task(
            task="classification",
            kind=self.kind,
            do_lower_case=self.config.do_lower_case,
            max_seq_length=self.config.max_seq_length,
        )

    @property
    def num_outputs(self) -> int:
        """How many numbers the head gives for a text, L."""
        return len(self.labels) or 1


def run() -> None:
    """Runs the script; for code that has added to `processors`."""
    command_line.run(main, define_flags)


def main() -> None:
    """Flags → examples → records and model → training → results."""
    environment.prepare()
    classify(Config.from_flags(FLAGS))


def classify(config: Config) -> None:
    """Checks what the run needs, then trains, evaluates and predicts.

    Raises:
        UserError: a file, a row or a checkpoint is not what it must be.
    """
    from bert.modeling import classification

    finetune.check_results(
        config, _RESULTS, config.train_file, config.dev_file, config.test_file
    )
    head = classification.output_weights(kind_of(config))
    start = finetune.find_start(config, head, uses_pooler=True)
    kept = finetune.kept_labels(config, start)
    processor = make_processor(config, start.is_resumed, kept)
    config.check_metric(metric_names(processor))
    sets = classification_sets.read(
        processor,
        config.data_dir,
        train=config.do_train,
        dev=config.do_eval or bool(config.do_train and config.eval_steps),
        test=config.do_predict,
    )
    labels = classification_sets.check_labels(processor)
    if labels:
        origin = f"--task_name={config.task_name}"
        label_files.check_kept(label_files.Labels(labels, origin), kept)
    start.check_outputs(len(labels) or 1)
    classification_sets.check_examples(
        sets, labels, processor.kind, config.max_seq_length
    )
    label_weights = classification_sets.label_weights(
        processor, labels, config.class_weights, sets.train
    )
    job = Job(config, finetune.prepare(config), processor, labels)
    with job.prepared.worker_barrier():
        with job.prepared.strategy.scope():
            finetune.check_model(
                config,
                start,
                len(sets.train),
                functools.partial(make_model, job, None),
            )
            dev_sources = write_records(job, "eval", sets.dev)
            if config.do_train:
                train(job, sets.train, label_weights, dev_sources)
            if config.do_eval or config.do_predict:
                model = make_model(job)
                step = finetune.load(config, model)
                # Alone: of several workers the chief writes the results.
                if config.do_eval and job.prepared.is_chief:
                    evaluate(job, model, step, dev_sources, len(sets.dev[""]))
                if config.do_predict and job.prepared.is_chief:
                    predict(job, model, sets.test)
        finetune.export(config, job.prepared, job.task, labels)


def kind_of(config: Config) -> str:
    """Returns what the task says of a text: one of `modeling`'s kinds."""
    name = config.task_name.lower()
    if name in FORMATS:
        return KINDS[config.label_type]
    return processors[name]().kind


def make_processor(
    config: Config, is_resumed: bool, kept: label_files.Labels | None
) -> DataProcessor:
    """Returns the task's processor, which knows its labels if it can.

    Args:
        config: the run's.
        is_resumed: whether there is a model in output_dir.
        kept: the labels that stand beside the head that the run begins with.
    """
    name = config.task_name.lower()
    if name not in FORMATS:
        return processors[name]()
    settings = TableSettings.from_config(name, config)
    if config.label_type == "regression":
        return TableProcessor(settings)
    goes_on = is_resumed and kept is not None
    chosen = label_files.choose(
        config.labels, kept, from_training_set=config.do_train and not goes_on
    )
    return TableProcessor(settings, *(chosen or ()))


def metric_names(processor: DataProcessor) -> list[str]:
    """Returns the names of a dev set's figures."""
    from bert.evaluation import classification

    own = classification.metric_names(processor.kind, processor.metric_names)
    return ["eval_loss", "loss", *own]


def write_records(
    job: Job, name: str, sets: Mapping[str, Sequence[InputExample]]
) -> "dict[str, RecordSource]":
    """Writes <name>.tf_record, and <name>_<set>.tf_record for other sets."""
    from bert.data.records import fields as record_fields
    from bert.data.records import record_reuse

    length = job.config.max_seq_length
    fields = record_fields.classification_fields(
        length, kind=job.kind, num_labels=job.num_outputs
    )
    sources = {}
    for key, examples in sets.items():
        features = classification_features.featurize(
            examples, job.labels, length, job.prepared.tokenizer, job.kind
        )
        inputs = classification_features.inputs(examples, job.labels, job.kind)
        path = finetune.write_records(
            job.config.output_dir,
            classification_sets.file_name(f"{name}.tf_record", key),
            fields,
            features,
            record_reuse.made_from(job.prepared.tokenizer, fields, inputs),
            classification_features.LOGGED_EXAMPLES,
        )
        sources[key] = finetune.source(job.prepared, path, fields)
    return sources


def make_model(
    job: Job,
    label_weights: Sequence[float] | None = None,
    seed: int | None = None,
) -> "ClassifierModel":
    """Returns the task's model with start weights of a seed."""
    from bert.modeling import classification

    return classification.make_model(
        job.kind,
        job.prepared.bert_config,
        job.num_outputs,
        label_weights,
        job.prepared.compute_dtype,
        seed,
    )


def train(
    job: Job,
    examples: Sequence[InputExample],
    label_weights: Sequence[float] | None,
    dev_sources: "Mapping[str, RecordSource]",
) -> None:
    """Trains, and keeps the labels and the task with the model."""
    source = write_records(job, "train", {"": examples})[""]
    if job.labels and job.prepared.is_chief:
        label_files.write(job.config.output_dir, job.labels)
    finetune.keep_task(job.config, job.prepared, job.task)
    finetune.train(
        job.config,
        job.prepared,
        source,
        len(examples),
        functools.partial(make_model, job, label_weights),
        functools.partial(make_evaluate, job, dev_sources),
    )


def make_evaluate(
    job: Job,
    dev_sources: "Mapping[str, RecordSource]",
    model: "ClassifierModel",
) -> Callable[[], dict[str, float]]:
    """Returns what computes the model's figures with its present weights."""
    import numpy as np

    from bert.evaluation import classification as metrics
    from bert.modeling import classification

    batch_size = job.config.eval_batch_size
    select = functools.partial(classification.evaluated, job.kind)
    rows = {
        key: finetune.Rows(job.prepared, model, source, batch_size, select)
        for key, source in dev_sources.items()
    }

    def evaluate_set(key):
        found = metrics.stacked(rows[key])
        losses = found["loss"]
        return {
            **metrics.metrics(
                job.kind,
                found["logits"],
                found["label_ids"],
                job.processor.metric_names,
            ),
            "eval_loss": metrics.mean(losses),
            "loss": np.float32(finetune.batch_mean(losses, batch_size)),
        }

    return lambda: metrics.joined({key: evaluate_set(key) for key in rows})


def evaluate(
    job: Job,
    model: "ClassifierModel",
    step: int,
    dev_sources: "Mapping[str, RecordSource]",
    num_examples: int,
) -> None:
    """Evaluates the model of a step and writes eval_results.txt."""
    from bert.training import results

    logging.info("***** Running evaluation *****")
    logging.info(
        "  Num examples = %d (%d actual, 0 padding)", num_examples, num_examples
    )
    logging.info("  Batch size = %d", job.config.eval_batch_size)
    figures = make_evaluate(job, dev_sources, model)()
    results.write_eval_results(job.config.output_dir, figures, step)


def predict(
    job: Job,
    model: "ClassifierModel",
    sets: Mapping[str, Sequence[InputExample]],
) -> None:
    """Predicts the test sets; writes what the model says of each row."""
    from bert.evaluation import classification as metrics
    from bert.modeling import classification
    from bert.tasks.classification import prediction_files

    config = job.config
    sources = write_records(job, "predict", sets)
    select = functools.partial(classification.predicted, job.kind)
    for key, source in sources.items():
        logging.info("***** Running prediction*****")
        logging.info("  Num examples = %d", len(sets[key]))
        logging.info("  Batch size = %d", config.predict_batch_size)
        rows = finetune.Rows(
            job.prepared, model, source, config.predict_batch_size, select
        )
        predictions = prediction_files.Predictions(
            job.kind, job.labels, metrics.stacked(rows)["values"]
        )
        writer = prediction_files.Writer(config.output_dir, key, predictions)
        writer.write_test_results()
        writer.write_json_lines(sets[key], config.predictions_text)
        if config.glue_submission:
            processor = job.processor.also[key] if key else job.processor
            writer.write_submission(processor.glue_name)


if __name__ == "__main__":
    run()
