"""Fine-tuning to choose one of several texts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bert.tasks import spec
from bert.tasks.multiple_choice import examples, features
from bert.tasks.multiple_choice.config import Config
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.record_sets import RecordSet
from bert.tasks.spec import Spec
from bert.tasks.task import FineTuningTask, Walk

# TensorFlow and NumPy are imported where they are used.
if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from bert.modeling.task_model import Batch, TaskModel
    from bert.tasks.predictions import Predictions


class MultipleChoice(FineTuningTask):
    """A run of run_multiple_choice.py.

    Args:
        config: the values of its flags.
    """

    results = (
        "train.tf_record",
        "eval.tf_record",
        "predict.tf_record",
        "eval_results.txt",
        "test_results.tsv",
        "predictions.jsonl",
    )
    spec: Spec = spec.find("multiple_choice")
    config: Config

    @property
    def input_files(self):
        config = self.config
        return config.train_file, config.dev_file, config.test_file

    def read(self, start):
        config = self.config
        self._sets = {
            name: examples.read(
                config.path(name), config.format, name, config.columns
            )
            for name in config.needed_sets
        }

    @property
    def num_examples(self):
        return len(self._sets.get("train", ()))

    def metric_names(self):
        return ["eval_accuracy", "eval_loss", "loss"]

    def options(self):
        return {"num_choices": max(map(_num_choices, self._sets.values()))}

    def make_model(self, seed=None):
        from bert.tasks.multiple_choice.model import MultipleChoiceModel

        return MultipleChoiceModel(
            self.prepared.bert_config, **self.prepared.model_options(seed)
        )

    def training_set(self):
        return self._records("train", "train.tf_record")

    def _records(self, name: str, file: str) -> RecordSet:
        own = self._sets[name]
        length, tokenizer = self.config.max_seq_length, self.prepared.tokenizer
        num_choices = _num_choices(own)
        return RecordSet(
            file=file,
            fields=features.fields(length, num_choices),
            features=lambda: features.featurize(
                own, num_choices, length, tokenizer
            ),
            inputs=lambda: (each[1:] for each in own),
            limits={"label_ids": num_choices},
            num_logged=features.LOGGED_EXAMPLES,
        )

    def evaluation(self):
        if "dev" not in self._sets:
            return None
        return Walk(
            {"": self._records("dev", "eval.tf_record")},
            self.config.eval_batch_size,
            _evaluated,
            lambda found: self._figures(found[""]),
            sizes=[self._num_examples("dev")],
        )

    def walks(self):
        evaluation = self.evaluation()
        if self.config.do_eval and evaluation:
            yield evaluation
        if self.config.do_predict:
            yield Walk(
                {"": self._records("test", "predict.tf_record")},
                self.config.predict_batch_size,
                _predicted,
                lambda found: self._write_predictions(found[""]),
                title="***** Running prediction*****",
                sizes=[self._num_examples("test")],
            )

    def _num_examples(self, name: str) -> str:
        number = len(self._sets[name])
        return f"Num examples = {number} ({number} actual, 0 padding)"

    def _figures(self, answers: "Predictions") -> "dict[str, np.float32]":
        from bert.evaluation import rows
        from bert.tasks.classification import metrics

        found = rows.stacked(answers)
        return {
            **metrics.single_label(found["logits"], found["label_ids"]),
            **rows.loss_figures(found["loss"], self.config.eval_batch_size),
        }

    def _write_predictions(self, answers: "Predictions") -> dict[str, float]:
        from bert.evaluation import rows
        from bert.tasks.multiple_choice import predictions

        predictions.write(
            self.config.output_dir,
            self._sets["test"],
            rows.stacked(answers)["probabilities"],
        )
        return {}


def _num_choices(own: Sequence[ChoiceExample]) -> int:
    """Returns how many choices the example with the most has, C."""
    return max(len(each.choices) for each in own)


def _evaluated(
    model: "TaskModel", outputs: "Mapping[str, tf.Tensor]", batch: "Batch"
) -> "dict[str, tf.Tensor]":
    return {
        "logits": outputs["logits"],
        "label_ids": batch["label_ids"],
        "loss": model.losses(outputs, batch)["multiple_choice"],
    }


def _predicted(
    model: "TaskModel", outputs: "Mapping[str, tf.Tensor]", batch: "Batch"
) -> "dict[str, tf.Tensor]":
    import tensorflow as tf

    return {"probabilities": tf.nn.softmax(outputs["logits"])}
