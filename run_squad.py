"""Fine-tunes BERT to find the answer to a question in a paragraph (SQuAD).

Takes SQuAD's JSON files, v1.1 or v2.0; writes checkpoints, predictions and
eval_results.txt to output_dir. See docs/squad.md.
"""

import dataclasses
import functools
import math
import random
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from absl import flags, logging

from bert.cli import command_line, environment, training_flags
from bert.errors import UserError
from bert.model_folder import task_files
from bert.tasks import finetune, spec
from bert.tasks.squad import answers, windows
from bert.tasks.squad import examples as squad
from bert.tasks.squad.examples import SquadExample

if TYPE_CHECKING:
    from bert.data.records.record_files import RecordSource
    from bert.modeling.heads import SpanModel
    from bert.tasks.finetune import Prepared

FLAGS = flags.FLAGS

_OUTPUT_WEIGHTS = "cls/squad/output_weights"
_RESULTS = (
    "train.tf_record",
    "eval.tf_record",
    "predictions.json",
    "nbest_predictions.json",
    "null_odds.json",
    "eval_results.txt",
)
# Questions whose windows are logged.
_LOGGED_EXAMPLES = 20
# The original's.
_SHUFFLE_SEED = 12345
# Below every logit.
_NO_LOGIT = -1e30

Answered = list[tuple[SquadExample, answers.Answer]]


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines this script's flags."""
    training_flags.define_fine_tuning_flags(flag_values, max_seq_length=384)
    own = {"flag_values": flag_values}
    for name, text in (
        ("train_file", "SQuAD JSON file to train on."),
        (
            "predict_file",
            "SQuAD JSON file to answer (--do_predict, --do_eval) and to "
            "evaluate while training (--eval_steps).",
        ),
    ):
        flags.DEFINE_string(name, None, text, **own)
    for name, default, text in (
        (
            "doc_stride",
            128,
            "Word pieces from the start of a window over a long paragraph to "
            "that of the next.",
        ),
        ("max_query_length", 64, "Word pieces of a question that are kept."),
        ("n_best_size", 20, "Answers to keep in nbest_predictions.json."),
        ("max_answer_length", 30, "Word pieces of an answer at most."),
    ):
        flags.DEFINE_integer(name, default, text, lower_bound=1, **own)
    flags.DEFINE_bool(
        "verbose_logging",
        False,
        "Whether to log the answers that are not found in the text.",
        **own,
    )
    flags.DEFINE_bool(
        "version_2_with_negative",
        False,
        "Whether questions may have no answer (SQuAD v2.0).",
        **own,
    )
    flags.DEFINE_string(
        "null_score_diff_threshold",
        "0.0",
        "No answer is given where null_odds are above this; auto: the number "
        "that gives the best F1 on predict_file.",
        **own,
    )


@dataclasses.dataclass(frozen=True)
class Config(finetune.Config):
    """The values of a run's flags, by their names; checked together."""

    train_file: str | None
    predict_file: str | None
    doc_stride: int
    max_query_length: int
    n_best_size: int
    max_answer_length: int
    verbose_logging: bool
    version_2_with_negative: bool
    null_score_diff_threshold: str

    def __post_init__(self):
        super().__post_init__()
        if self.do_train and not self.train_file:
            raise UserError(
                "If `do_train` is True, then `train_file` must be specified."
            )
        if (self.predicts or self.evaluates) and not self.predict_file:
            flag = "do_predict" if self.do_predict else "do_eval"
            flag = flag if self.predicts else "eval_steps"
            raise UserError(
                f"If `{flag}` is given, then `predict_file` must be specified."
            )
        if self.max_seq_length <= self.max_query_length + 3:
            raise UserError(
                f"The max_seq_length ({self.max_seq_length}) must be greater "
                f"than max_query_length ({self.max_query_length}) + 3"
            )
        if self.threshold is None and not self.version_2_with_negative:
            raise UserError(
                "--null_score_diff_threshold=auto needs "
                "--version_2_with_negative: without it every question has an "
                "answer."
            )

    @property
    def predicts(self) -> bool:
        """Whether predict_file is to be answered, to write or to judge it."""
        return self.do_predict or self.do_eval

    @property
    def writes_results(self) -> bool:
        """Whether to write eval_results.txt."""
        return self.do_eval or (self.do_predict and self.threshold is None)

    @property
    def evaluates(self) -> bool:
        """Whether predict_file's right answers are needed."""
        while_training = self.do_train and self.eval_steps is not None
        return self.writes_results or while_training

    @property
    def threshold(self) -> float | None:
        """The value of --null_score_diff_threshold; None is auto."""
        text = self.null_score_diff_threshold.strip().lower()
        if text == "auto":
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value):
            raise UserError(
                "--null_score_diff_threshold must be a number or auto. "
                f"Received: {self.null_score_diff_threshold!r}."
            )
        return value

    @property
    def answer_settings(self) -> answers.Settings:
        """How to choose answers."""
        return answers.Settings(
            self.n_best_size,
            self.max_answer_length,
            self.do_lower_case,
            self.version_2_with_negative,
            self.verbose_logging,
        )


class Examples(NamedTuple):
    """The questions of both files; None where a file is not needed."""

    train: list[SquadExample] | None
    predict: list[SquadExample] | None


class Windows(NamedTuple):
    """Questions with their windows, which are in a file of records, too.

    Attributes:
        examples: the questions.
        cut: cuts them into their windows, in order.
        source: the windows' records, in order.
    """

    examples: list[SquadExample]
    cut: Callable[[], Iterator[windows.Window]]
    source: "RecordSource"


def main() -> None:
    """Flags → questions → windows → training → answers → evaluation."""
    environment.prepare()
    find_answers(Config.from_flags(FLAGS))


def find_answers(config: Config) -> None:
    """Checks what the run needs, then trains, predicts and evaluates.

    Raises:
        UserError: a file, a question or a checkpoint is not what it must be.
    """
    finetune.check_results(
        config, _RESULTS, config.train_file, config.predict_file
    )
    start = finetune.find_start(config, _OUTPUT_WEIGHTS)
    examples = read_examples(config)
    prepared = finetune.prepare(config)
    for some in filter(None, examples):
        check_windows(config, prepared, some)
    with prepared.worker_barrier():
        with prepared.strategy.scope():
            finetune.check_model(
                config,
                start,
                len(examples.train or []),
                functools.partial(make_model, prepared),
            )
            asked = None
            if examples.predict:
                asked = make_windows(
                    config, prepared, examples.predict, "eval.tf_record"
                )
            if config.do_train:
                train(config, prepared, examples.train, asked)
            threshold = config.threshold or 0.0
            if config.predicts:
                threshold = predict(config, prepared, asked)
        finetune.export(config, prepared, task_of(config, threshold))


def task_of(config: Config, threshold: float) -> task_files.Task:
    """Returns what the model is for, as it is kept with its checkpoints.

    Args:
        config: the run's.
        threshold: the null_score_diff_threshold, given or found.
    """
    names = spec.find("squad").options.keys() - {"null_score_diff_threshold"}
    return task_files.Task(
        task="squad",
        do_lower_case=config.do_lower_case,
        max_seq_length=config.max_seq_length,
        options={
            **{name: getattr(config, name) for name in names},
            "null_score_diff_threshold": threshold,
        },
    )


def read_examples(config: Config) -> Examples:
    """Reads the files that the command needs, and checks them."""
    version_2 = config.version_2_with_negative
    train, predict = None, None
    if config.predicts or config.evaluates:
        predict = squad.read_prediction_examples(
            config.predict_file,
            with_answers=config.evaluates,
            version_2_with_negative=version_2,
        )
    if config.evaluates:
        config.check_metric(metric_names(config, predict))
    if config.do_train:
        train = squad.read_training_examples(config.train_file, version_2)
    return Examples(train, predict)


def metric_names(config: Config, examples: Iterable[SquadExample]) -> list[str]:
    """Returns the metrics that an evaluation of the questions gives."""
    from bert.tasks.squad import metrics

    if not config.version_2_with_negative:
        return list(metrics.METRICS)
    return metrics.metric_names_v2(bool(e.answers) for e in examples)


def make_model(prepared: "Prepared", seed: int | None = None) -> "SpanModel":
    """Returns the model, with start weights of a seed."""
    from bert.modeling.heads import SpanModel

    return SpanModel(
        prepared.bert_config,
        compute_dtype=prepared.compute_dtype,
        init_seed=seed,
    )


def windows_of(
    config: Config, prepared: "Prepared", examples: list[SquadExample]
) -> Iterator[windows.Window]:
    """Yields the windows of each question's paragraph, in order."""
    return windows.windows(
        examples, prepared.tokenizer, window_settings(config)
    )


def window_settings(config: Config) -> windows.Settings:
    """Returns how to cut paragraphs into windows."""
    return windows.Settings(
        config.max_seq_length, config.doc_stride, config.max_query_length
    )


def check_windows(
    config: Config, prepared: "Prepared", examples: list[SquadExample]
) -> None:
    """Raises UserError where no question has a window."""
    if next(iter(windows_of(config, prepared, examples)), None) is None:
        is_training = examples[0].start_position is not None
        flag = "train_file" if is_training else "predict_file"
        raise UserError(
            f"{getattr(config, flag)}: expected paragraphs with words. "
            f"Received: {len(examples)} questions, all with an empty context."
        )


def make_windows(
    config: Config,
    prepared: "Prepared",
    examples: list[SquadExample],
    name: str,
) -> Windows:
    """Cuts questions' paragraphs into windows and writes their records."""
    from bert.data.records import fields as record_fields
    from bert.data.records import record_reuse

    size = config.max_seq_length
    cut = functools.partial(windows_of, config, prepared, examples)

    def features():
        for window in cut():
            values = windows.features(window, prepared.tokenizer, size)
            if window.example_index < _LOGGED_EXAMPLES:
                windows.log_window(window, values)
            yield values

    is_training = examples[0].start_position is not None
    fields = record_fields.squad_fields(size, is_training)
    path = finetune.write_records(
        config.output_dir,
        name,
        fields,
        features(),
        record_reuse.made_from(
            prepared.tokenizer,
            (fields, window_settings(config)),
            map(windows.inputs, examples),
        ),
        _LOGGED_EXAMPLES,
    )
    limits = {"start_positions": size, "end_positions": size}
    return Windows(
        examples,
        cut,
        finetune.source(prepared, path, fields, limits if is_training else {}),
    )


def train(
    config: Config,
    prepared: "Prepared",
    examples: list[SquadExample],
    asked: Windows | None,
) -> None:
    """Trains from where output_dir's run stands.

    Args:
        config: the run's.
        prepared: the run's.
        examples: the questions to learn from.
        asked: predict_file's, for --eval_steps.
    """
    from bert.data.records import record_files

    # Always alike, as in the original: a paragraph's questions stand apart.
    examples = list(examples)
    random.Random(_SHUFFLE_SEED).shuffle(examples)
    source = make_windows(config, prepared, examples, "train.tf_record").source
    evaluation = None
    if config.eval_steps is not None:
        evaluation = functools.partial(make_evaluate, config, prepared, asked)
    logging.info("  Num orig examples = %d", len(examples))
    logging.info("  Num split examples = %d", record_files.num_records(source))
    task = task_of(config, config.threshold or 0.0)
    finetune.keep_task(config, prepared, task)
    finetune.train(
        config,
        prepared,
        source,
        # An epoch is counted in questions, as in the original.
        len(examples),
        functools.partial(make_model, prepared),
        evaluation,
        # The softmax runs over the padding, too.
        cut=False,
    )


def make_evaluate(
    config: Config, prepared: "Prepared", asked: Windows, model: "SpanModel"
) -> Callable[[], dict[str, float]]:
    """Returns what computes the metrics with the weights of the moment."""
    results = results_of(config, prepared, asked, model)
    return lambda: judge(config, answered(config, asked, results))[1]


def predict(config: Config, prepared: "Prepared", asked: Windows) -> float:
    """Writes predict_file's answers, and what they are worth.

    Returns:
        The null_score_diff_threshold, which is found where it is auto, and
        then kept with the model.
    """
    from bert.data.records import record_files
    from bert.tasks.squad import predictions
    from bert.training import results

    model = make_model(prepared)
    step = finetune.load(config, model)
    if not prepared.is_chief:
        return config.threshold or 0.0
    logging.info("***** Running predictions *****")
    logging.info("  Num orig examples = %d", len(asked.examples))
    logging.info(
        "  Num split examples = %d",
        record_files.num_records(asked.source),
    )
    logging.info("  Batch size = %d", config.predict_batch_size)
    found = answered(config, asked, results_of(config, prepared, asked, model))
    threshold, figures = config.threshold, {}
    if config.writes_results:
        threshold, figures = judge(config, found)
    predictions.write_predictions(
        config.output_dir, ((e.qas_id, a) for e, a in found), threshold
    )
    if config.writes_results:
        results.write_eval_results(config.output_dir, figures, step)
    if config.threshold is None:
        task_files.update(config.output_dir, task_of(config, threshold))
    return threshold


def results_of(
    config: Config, prepared: "Prepared", asked: Windows, model: "SpanModel"
) -> finetune.Rows:
    """Returns the logits of each window, in order."""
    import tensorflow as tf

    def select(outputs, batch):
        # Else the padding would have a say in which starts and ends are the
        # best, and how much there is of it hangs on a batch's other rows.
        is_token = tf.cast(batch["input_mask"], tf.bool)
        return {
            "unique_ids": batch["unique_ids"][:, 0],
            **{
                name: tf.where(is_token, outputs[name], _NO_LOGIT)
                for name in ("start_logits", "end_logits")
            },
        }

    return finetune.Rows(
        prepared, model, asked.source, config.predict_batch_size, select
    )


def answered(config: Config, asked: Windows, rows: finetune.Rows) -> Answered:
    """Answers the questions, one after the other."""

    def results():
        for number, row in enumerate(rows):
            if number % 1000 == 0:
                logging.info("Processing example: %d", number)
            yield answers.RawResult(
                int(row["unique_ids"]), row["start_logits"], row["end_logits"]
            )

    return list(
        answers.answers(
            asked.examples, asked.cut(), results(), config.answer_settings
        )
    )


def judge(config: Config, found: Answered) -> tuple[float, dict[str, float]]:
    """Compares answers with the right ones.

    Returns:
        The null_score_diff_threshold, found where it is auto; and the
        figures for eval_results.txt.
    """
    from bert.tasks.squad import metrics

    def judged(threshold: float) -> list[metrics.Judged]:
        return [
            metrics.Judged(
                example.answers,
                answer.prediction(threshold),
                answer.text,
                answer.null_odds,
            )
            for example, answer in found
        ]

    if not config.version_2_with_negative:
        return config.threshold, metrics.metrics(judged(config.threshold))
    if config.threshold is not None:
        return config.threshold, metrics.metrics_v2(judged(config.threshold))
    threshold = metrics.best_f1_threshold(judged(0.0))
    logging.info("null_score_diff_threshold with the best F1: %s", threshold)
    figures = metrics.metrics_v2(judged(threshold))
    return threshold, {**figures, "null_score_diff_threshold": threshold}


if __name__ == "__main__":
    command_line.run(main, define_flags)
