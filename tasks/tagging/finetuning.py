"""Fine-tuning to label words: named entities, parts of speech."""

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from absl import logging

from bert.data.tables import conll, split
from bert.data.tables.conll import Corpus
from bert.model_folder import labels as label_files
from bert.model_folder.labels import Labels
from bert.tasks import head_labels, label_counts, spec, splits
from bert.tasks.record_sets import RecordSet
from bert.tasks.spec import Spec
from bert.tasks.tagging import predictions, schemes, windows
from bert.tasks.tagging.config import Config
from bert.tasks.task import Outcome, SetsTask

if TYPE_CHECKING:
    from bert.tasks.reports import Report
    from bert.tasks.tagging.metrics import Answers
    from bert.training.head_check import Start


class Tagging(SetsTask):
    """A run of run_ner.py.

    Args:
        config: the values of its flags.
    """

    results = (
        *SetsTask.record_files.values(),
        "eval_results.txt",
        "labels.txt",
        splits.FILE_NAME,
        *predictions.FILES,
    )
    prediction_title = "***** Running prediction *****"
    spec: Spec = spec.find("ner")
    config: Config

    def read(self, start):
        """Reads the needed files, and finds the labels.

        They are those of --labels; else those kept with the model where it is
        used or trained on in output_dir; else those of the training set.
        """
        config = self.config
        columns = conll.Columns(config.token_column, config.label_column)
        self._sets = {
            name: conll.read_conll(
                config.path(name), columns, needs_labels=name != "test"
            )
            for name in config.needed_files
        }
        labels = head_labels.known(config, config.labels, start)
        if labels is None:
            labels = self._new_labels(start)
        label_files.check_names(labels.names, labels.origin)
        for name, corpus in self._sets.items():
            if name != "test":
                conll.check_labels(
                    corpus, labels.names, f"those of {labels.origin}"
                )
        self.labels = labels.names
        if config.divides:
            self._divide(start)
        if config.distill_file:
            unlabelled = conll.read_conll(
                config.distill_file, columns, needs_labels=False
            )
            self.unlabelled = _without_labels(unlabelled.sentences)
        self._log_labels()

    def _divide(self, start: "Start") -> None:
        """Makes the needed sets of the training file's sentences."""
        corpus = self._sets.pop("train")
        sentences = corpus.sentences
        rows = splits.Rows(
            corpus.path,
            [{*(each.labels or ())} - {conll.OUTSIDE} for each in sentences],
            [split.same_text(*each.words) for each in sentences],
        )
        for name, own in self.divided(start, rows, sentences).items():
            self._sets[name] = corpus._replace(sentences=own)

    def _new_labels(self, start: "Start") -> Labels:
        """Returns the training set's labels; warns of odd ones."""
        train = self._sets["train"]
        labels = label_files.in_order_of(
            Labels(conll.labels_of(train), train.path),
            head_labels.of_start(start),
        )
        labels = head_labels.settled(self.config, labels, start)
        label_counts.warn_of_forms(train.path, labels.names)
        words = sum(len(sentence.words) for sentence in train.sentences)
        label_counts.warn_of_number(train.path, len(labels.names), words)
        return labels

    def _log_labels(self) -> None:
        """Logs the labels, and how they are read, where that matters."""
        if "train" in self._sets:
            sentences = self._sets["train"].sentences
            own = [sentence.labels or [] for sentence in sentences]
            label_counts.log(self.labels, own)
        if self._sets.keys() & {"train", "dev"}:
            schemes.log(self.labels)

    def prepare(self, prepared):
        """Makes the featurizer, and counts the windows to train on."""
        super().prepare(prepared)
        self._featurizer = windows.Featurizer(
            prepared.tokenizer,
            {label: number for number, label in enumerate(self.labels)},
            self.config.max_seq_length,
        )
        self._num_windows = 0
        if "train" in self._sets:
            sentences = [*self._sets["train"].sentences, *self.unlabelled]
            self._num_windows = sum(
                map(self._featurizer.num_windows, sentences)
            )

    @property
    def has_pairs(self):
        return False

    @property
    def num_examples(self) -> int:
        """The windows to train on."""
        return self._num_windows

    def metric_names(self):
        from bert.tasks.tagging import metrics

        return metrics.metric_names(self.labels)

    def make_model(self, seed=None):
        from bert.modeling.heads import TokenModel

        return TokenModel(
            self.prepared.bert_config,
            len(self.labels),
            **self.prepared.model_options(seed),
        )

    def records(self, name, part=""):
        """Returns a set's windows, in order."""
        sentences = self._sets[name].sentences
        if name == "test":
            # Its labels, if any, are only copied: they may be others.
            sentences = _without_labels(sentences)
        return self._record_set(name, sentences)

    def unlabelled_set(self):
        return self._record_set("train", self.unlabelled)

    def _record_set(
        self, name: str, sentences: Sequence[conll.Sentence]
    ) -> RecordSet:
        featurizer = self._featurizer
        return RecordSet(
            file=self.record_files[name],
            fields=windows.fields(self.config.max_seq_length),
            features=lambda: itertools.chain.from_iterable(
                map(featurizer.features, sentences)
            ),
            inputs=lambda: map(featurizer.inputs, sentences),
            limits={"label_ids": len(self.labels), "label_mask": 2},
        )

    def set_file(self, name):
        path = self.config.path(self.config.file_set(name))
        return path, len(self._sets[name].sentences)

    def size(self, name, part):
        return f"Num sentences = {len(self._sets[name].sentences)}"

    def select(self, name):
        from bert.tasks.tagging.inference import select

        return select

    def judge(self, answers, in_training):
        """Judges the dev set; at the end, logs each entity's figures."""
        from bert.tasks.tagging import metrics

        found = metrics.collect(answers[""])
        gold = [
            sentence.labels or [] for sentence in self._sets["dev"].sentences
        ]
        predicted = self._labels_of(found.label_ids.tolist(), self._sets["dev"])
        if not in_training:
            report = metrics.report(gold, predicted, self.labels)
            for line in report.splitlines():
                logging.info("%s", line)
        return Outcome(
            {
                **metrics.metrics(gold, predicted, self.labels),
                **metrics.losses(found, self.config.eval_batch_size),
            },
            {"": functools.partial(self._report, predicted, found)},
        )

    def _report(self, predicted: list[list[str]], found: "Answers") -> "Report":
        from bert.tasks.tagging import judged, report

        sentences, labels = self._sets["dev"].sentences, self.labels
        return report.make(
            judged.judge(sentences, predicted, found, labels), labels
        )

    def _labels_of(
        self, label_ids: Iterable[int], corpus: Corpus
    ) -> list[list[str]]:
        """Returns the labels predicted for each sentence's words."""
        predicted = iter(label_ids)
        return [
            [self.labels[next(predicted)] for _ in sentence.words]
            for sentence in corpus.sentences
        ]

    def write_predictions(self, part, answers):
        """Writes test_predictions.txt and predictions.jsonl."""
        from bert.tasks.tagging import metrics

        test = self._sets["test"]
        found = metrics.collect(answers)
        predictions.write(
            self.config.output_dir,
            test,
            self._labels_of(found.label_ids.tolist(), test),
            found.probabilities,
        )


def _without_labels(
    sentences: Iterable[conll.Sentence],
) -> list[conll.Sentence]:
    return [each._replace(labels=None) for each in sentences]
