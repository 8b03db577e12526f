"""Fine-tuning to choose one of several texts."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bert.data.tables import split
from bert.tasks import label_counts, spec, splits
from bert.tasks.multiple_choice import examples, features
from bert.tasks.multiple_choice.config import Config
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.record_sets import RecordSet
from bert.tasks.spec import Spec
from bert.tasks.task import Outcome, SetsTask

if TYPE_CHECKING:
    from bert.tasks.reports import Report


class MultipleChoice(SetsTask):
    """A run of run_multiple_choice.py.

    Args:
        config: the values of its flags.
    """

    results = (
        *SetsTask.record_files.values(),
        "eval_results.txt",
        "test_results.tsv",
        "predictions.jsonl",
        splits.FILE_NAME,
    )
    spec: Spec = spec.find("multiple_choice")
    config: Config

    def read(self, start):
        config = self.config
        self._sets = {
            name: examples.read(
                config.path(name), config.format, name, config.columns
            )
            for name in config.needed_files
        }
        if config.distill_file:
            self.unlabelled = examples.read(
                *(config.distill_file, config.distill_format),
                *("test", config.columns),
            )
        if config.divides:
            questions = self._sets.pop("train")
            rows = splits.Rows(
                config.path("train"),
                [[str(each.label)] for each in questions],
                # All questions on a text stand on one side.
                [split.same_text(each.text) for each in questions],
            )
            self._sets.update(self.divided(start, rows, questions))
        if "train" in self._sets:
            train = self._sets["train"]
            label_counts.log(
                list(map(str, range(_num_choices(train)))),
                [[str(example.label)] for example in train],
            )

    @property
    def num_examples(self):
        return len(self._sets.get("train", ())) + len(self.unlabelled)

    def metric_names(self):
        return ["eval_accuracy", "eval_loss", "loss"]

    def make_model(self, seed=None):
        from bert.tasks.multiple_choice.model import MultipleChoiceModel

        return MultipleChoiceModel(
            self.prepared.bert_config, **self.prepared.model_options(seed)
        )

    def records(self, name, part=""):
        return self._record_set(name, self._sets[name])

    def unlabelled_set(self):
        return self._record_set("train", self.unlabelled)

    def _record_set(self, name: str, own: Sequence[ChoiceExample]) -> RecordSet:
        length, tokenizer = self.config.max_seq_length, self.prepared.tokenizer
        others = self.unlabelled if name == "train" else []
        num_choices = _num_choices([*self._sets[name], *others])
        return RecordSet(
            file=self.record_files[name],
            fields=features.fields(length, num_choices),
            features=lambda: features.featurize(
                own, num_choices, length, tokenizer
            ),
            inputs=lambda: (each[1:] for each in own),
            limits={"label_ids": num_choices},
            num_logged=features.LOGGED_EXAMPLES,
        )

    def set_file(self, name):
        path = self.config.path(self.config.file_set(name))
        return path, len(self._sets[name])

    def size(self, name, part):
        number = len(self._sets[name])
        return f"Num examples = {number} ({number} actual, 0 padding)"

    def select(self, name):
        from bert.tasks.multiple_choice import inference

        return inference.evaluated if name == "dev" else inference.predicted

    def judge(self, answers, in_training):
        from bert.evaluation import rows
        from bert.tasks.classification import metrics

        found = rows.stacked(answers[""])
        return Outcome(
            {
                **metrics.single_label(found["logits"], found["label_ids"]),
                **rows.loss_figures(found["loss"], self.config.eval_batch_size),
            },
            {"": functools.partial(self._report, found, answers[""].lengths)},
        )

    def _report(self, found, lengths) -> "Report":
        import numpy as np
        import tensorflow as tf

        from bert.tasks.multiple_choice import report

        return report.make(
            report.Judged(
                self._sets["dev"],
                tf.nn.softmax(found["logits"]).numpy(),
                found["label_ids"].reshape(-1),
                np.asarray(lengths),
            )
        )

    def write_predictions(self, part, answers):
        from bert.evaluation import rows
        from bert.tasks.multiple_choice import predictions

        predictions.write(
            self.config.output_dir,
            self._sets["test"],
            rows.stacked(answers)["probabilities"],
        )


def _num_choices(own: Sequence[ChoiceExample]) -> int:
    """Returns how many choices the example with the most has, C."""
    return max(len(each.choices) for each in own)
