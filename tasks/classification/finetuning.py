"""Fine-tuning to classify texts or pairs of texts, and to score them."""

import functools
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from absl import logging

from bert.data.tables import split
from bert.errors import UserError
from bert.files import task_paths
from bert.model_folder import labels as label_files
from bert.tasks import head_labels, label_counts, splits
from bert.tasks.classification import features, sets
from bert.tasks.classification.config import Config
from bert.tasks.classification.processors import DataProcessor, InputExample
from bert.tasks.classification.table_files import TableProcessor
from bert.tasks.record_sets import RecordSet
from bert.tasks.reports import Report, part_file
from bert.tasks.task import Outcome, SetsTask

if TYPE_CHECKING:
    from bert.training.head_check import Start

_details = logging.get_absl_logger().getChild("details")


class Classification(SetsTask):
    """A run of run_classifier.py.

    Args:
        config: the values of its flags.
    """

    results = (
        *SetsTask.record_files.values(),
        "eval_results.txt",
        "labels.txt",
        splits.FILE_NAME,
        "test_results.tsv",
        "predictions.jsonl",
    )
    config: Config

    def __init__(self, config: Config):
        super().__init__(config)
        self._kind = config.kind

    @property
    def spec(self):
        return self._kind.spec

    def read(self, start):
        config = self.config
        self._compare_long_texts(start)
        self._processor = self._make_processor(start)
        # Before the files are read, which may take its time.
        config.check_metric(self.metric_names())
        # XNLI has no test set: as in the original it is evaluated before that
        # is said.
        self._sets, self._lacking = sets.read(
            self._processor,
            config.data_dir,
            config.needed_files,
            may_lack=("test",) if config.do_eval else (),
        )
        origin = f"--task_name={config.task_name}"
        labels = label_files.Labels(sets.label_names(self._processor), origin)
        if labels.names:
            if config.table_format:
                kept = head_labels.of_start(start)
                labels = label_files.in_order_of(labels, kept)
            labels = head_labels.settled(config, labels, start)
        self.labels = labels.names
        if config.divides:
            self._divide(start)
        if config.distill_file:
            self._read_unlabelled(config.distill_file)
        self._label_ids = {
            (set_type, part): sets.label_ids(
                examples,
                self._kind,
                self.labels,
                config.max_seq_length,
                config.long_texts.takes_pairs,
            )
            for set_type, own in self._sets.items()
            for part, examples in own.items()
        }
        self._log_labels()
        self._label_weights = sets.label_weights(
            self._processor, self.labels, config.class_weights, self._train
        )

    def _compare_long_texts(self, start: "Start") -> None:
        """Warns where a trained model is used with another --truncation."""
        from bert.model_folder import locate

        if self.config.do_train or start.reader is None:
            return
        folder = task_paths.folder_of(start.reader.prefix)
        kept, now = locate.task(folder), self.config.long_texts
        if kept and kept.spec.has_long_texts and kept.long_texts != now:
            logging.warning(
                "The model in %s was trained with %s; this command reads texts "
                "with %s.",
                *(folder, kept.long_texts.flags(), now.flags()),
            )

    def _divide(self, start: "Start") -> None:
        """Makes the needed sets of the training file's rows."""
        processor, kind = self._processor, self._kind
        assert isinstance(processor, TableProcessor)
        examples = self._sets.pop("train")[""]
        labels: Sequence[Collection[str]]
        if kind.least_labels:
            labels = [kind.names_of(each.label) for each in examples]
        else:
            numbers = [kind.label_ids(each, {})[0] for each in examples]
            labels = split.bins(numbers, self.config.split_shares[-1])
        texts = [
            split.same_text(each.text_a, each.text_b or "") for each in examples
        ]
        path = processor.path(self.config.data_dir, "train")
        rows = splits.Rows(path, labels, texts)
        for name, own in self.divided(start, rows, examples).items():
            self._sets[name] = {"": own}

    def _read_unlabelled(self, path: str) -> None:
        """Reads the rows without labels, which are like those with one."""
        processor = TableProcessor(self.config.unlabelled_settings(path))
        self.unlabelled = processor.get_test_examples(None)
        pairs = [
            any(e.text_b for e in own) for own in (self._train, self.unlabelled)
        ]
        if pairs[0] != pairs[1]:
            kinds = [
                "pairs of texts" if are else "single texts" for are in pairs
            ]
            raise UserError(
                f"--distill_data={path}: expected {kinds[0]}, as in the "
                f"training set. Received: {kinds[1]}; name the columns "
                "(--text_column, --pair_column)."
            )

    @property
    def has_pairs(self):
        return any(e.text_b for e in (*self._train, *self.unlabelled))

    @property
    def _train(self) -> Sequence[InputExample]:
        return self._sets.get("train", {}).get("", ())

    def _log_labels(self) -> None:
        """Logs the labels of the training set, if there is one."""
        if not self._train:
            return
        if self.labels:
            own = [self._kind.names_of(each.label) for each in self._train]
            label_counts.log(self.labels, own)
        else:
            ids = self._label_ids["train", ""]
            label_counts.log_numbers([number for (number,) in ids])

    def _make_processor(self, start) -> DataProcessor:
        """Returns the task's processor, which knows its labels if it can."""
        config = self.config
        if not config.table_format:
            return config.new_processor()
        settings = config.table_settings
        if not self._kind.least_labels:
            return TableProcessor(settings)
        known = head_labels.known(config, config.labels, start)
        kept = head_labels.of_start(start) if config.grow_labels else None
        first = kept.names if kept else ()
        if known is None:
            return TableProcessor(settings, first=first)
        return TableProcessor(settings, *known, first)

    def table(self):
        processor = self._processor
        if isinstance(processor, TableProcessor):
            return processor.kept_settings
        return {}

    def long_texts(self):
        return self.config.long_texts

    @property
    def num_examples(self):
        return len(self._train) + len(self.unlabelled)

    def metric_names(self):
        own = self._kind.metric_names(self._processor.metric_names)
        return ["eval_loss", "loss", *own]

    def make_model(self, seed=None):
        return self._kind.make_model(
            self.prepared.bert_config,
            self.num_outputs,
            self._label_weights,
            self.config.long_texts.window_pooling,
            self.config.lm_loss_weight,
            **self.prepared.model_options(seed),
        )

    def parts(self, name):
        if error := self._lacking.get(name):
            raise error
        return list(self._sets.get(name, ()))

    def records(self, name, part=""):
        return self._record_set(
            part_file(self.record_files[name], part),
            self._sets[name][part],
            self._label_ids[name, part],
        )

    def unlabelled_set(self):
        examples, length = self.unlabelled, self.config.max_seq_length
        label_ids = sets.label_ids(
            *(examples, self._kind, self.labels, length),
            self.config.long_texts.takes_pairs,
        )
        return self._record_set(self.record_files["train"], examples, label_ids)

    def _record_set(
        self,
        file: str,
        examples: Sequence[InputExample],
        label_ids: Sequence[Sequence[float]],
    ) -> RecordSet:
        length, tokenizer = self.config.max_seq_length, self.prepared.tokenizer
        cut = self.config.long_texts
        return RecordSet(
            file=file,
            fields=self._kind.fields(
                length, self.num_outputs, self.config.most_sequences
            ),
            features=lambda: features.featurize(
                examples, label_ids, length, tokenizer, cut
            ),
            inputs=lambda: (
                (example.text_a, example.text_b, ids)
                for example, ids in zip(examples, label_ids, strict=True)
            ),
            settings=cut,
            num_logged=features.LOGGED_EXAMPLES,
        )

    def set_file(self, name):
        if name in self._lacking:
            return None, 0
        config = self.config
        path = self._processor.path(config.data_dir, config.file_set(name))
        return path, len(self._sets[name][""])

    def size(self, name, part):
        number = len(self._sets[name][part])
        return f"Num examples = {number} ({number} actual, 0 padding)"

    def select(self, name):
        kind = self._kind
        if name == "test":
            return lambda model, outputs, batch: {
                "values": kind.values(outputs["logits"])
            }
        return lambda model, outputs, batch: {
            "logits": outputs["logits"],
            "label_ids": batch["label_ids"],
            "loss": kind.losses(outputs["logits"], batch["label_ids"]),
            **self._lengths(batch),
        }

    def _lengths(self, batch) -> dict:
        """Returns the pieces of all windows of each text, where it has some.

        Of single sequences the records' own lengths say it.
        """
        import tensorflow as tf

        if not self.config.long_texts.is_windows:
            return {}
        return {"lengths": tf.reduce_sum(batch["input_mask"], [1, 2])}

    def judge(self, answers, in_training):
        from bert.evaluation import rows
        from bert.tasks.classification import metrics

        figures, reports = {}, {}
        for part, of_rows in answers.items():
            found = rows.stacked(of_rows)
            figures[part] = {
                **self._kind.figures(
                    found["logits"],
                    found["label_ids"],
                    self._processor.metric_names,
                ),
                **rows.loss_figures(found["loss"], self.config.eval_batch_size),
            }
            reports[part] = functools.partial(
                self._report, part, found, of_rows.lengths
            )
        return Outcome(metrics.joined(figures), reports)

    def _report(self, part, found, lengths) -> Report:
        from bert.tasks.classification import report

        return report.make(
            self._kind,
            report.Judged(
                self._sets["dev"][part],
                self.labels,
                **{"lengths": lengths, **found},
            ),
        )

    def write_predictions(self, part, answers):
        from bert.evaluation import rows
        from bert.tasks.classification import prediction_files

        _details.info("***** Predict results *****")
        writer = prediction_files.Writer(
            self.config.output_dir,
            part,
            self._kind,
            self.labels,
            rows.stacked(answers)["values"],
        )
        writer.write_test_results()
        writer.write_json_lines(
            self._sets["test"][part], self.config.predictions_text
        )
        name = (
            self._processor.also[part] if part else self._processor
        ).glue_name
        if self.config.glue_submission and name:
            writer.write_submission(name)
