"""Our answers: data sets through the scripts' own steps, and one text.

BENCH_PADDED=1 pads all rows to the full length, as on a TPU.
"""

import json
import os
import tempfile
from pathlib import Path

import sizes
from absl import flags

from bert import run_classifier, run_squad
from bert.evaluation import rows
from bert.serving.predictor import Predictor
from bert.tasks import finetune, record_sets
from bert.tasks.classification.finetuning import Classification
from bert.tasks.predictions import Predictions
from bert.tasks.squad.finetuning import Squad
from bert.tasks.task import FineTuningTask, Prepared
from bert.training.head_check import Start


class _Padded(Prepared):
    """As on a TPU: every batch has all rows and the full length."""

    fixed_shapes = True


class _SomeQuestions(Squad):
    """Asks a few of all questions, from all over the file."""

    limit: int | None = None

    def read(self, start):
        super().read(start)
        self.asked = self.asked[
            :: max(1, len(self.asked) // (self.limit or 10**9))
        ]


def _prepare(task: FineTuningTask) -> None:
    prepared = finetune.prepare(task.config)
    if os.environ.get("BENCH_PADDED") == "1":
        prepared = _Padded(*prepared)
    task.read(Start())
    task.prepare(prepared)


def _answers(task: FineTuningTask) -> Predictions:
    """Returns what a model with random weights says of the one set."""
    (walk,) = task.walks()
    (records,) = walk.sets.values()
    file = record_sets.write(
        records, task.config.output_dir, task.prepared.tokenizer
    )
    return Predictions(
        task.make_model(1),
        record_sets.source(
            task.prepared.bert_config,
            [file.path],
            records.fields,
            records.limits,
        ),
        walk.batch_size,
        walk.select,
        task.prepared.fixed_shapes,
    )


def _config(script, cell, arguments):
    """Returns a script's configuration of some flags."""
    folder = tempfile.mkdtemp(dir=cell["folder"])
    config_file = Path(folder) / "bert_config.json"
    config_file.write_text(json.dumps(sizes.model(cell["model"]).config()))
    values = flags.FlagValues()
    script.define_flags(values)
    values(
        [
            "benchmark",
            "--do_predict",
            f"--bert_config_file={config_file}",
            f"--vocab_file={cell['vocab_file']}",
            f"--output_dir={folder}",
            f"--max_seq_length={cell['length']}",
            f"--predict_batch_size={cell['rows']}",
            *arguments,
        ]
    )
    return script.Config.from_flags(values)


def mrpc(cell):
    """Makes the probabilities of MRPC's test set."""
    data_dir = os.path.join(cell["data_dir"], "glue", "MRPC")
    config = _config(
        run_classifier, cell, ["--task_name=MRPC", f"--data_dir={data_dir}"]
    )
    task = Classification(config)
    _prepare(task)
    answers = _answers(task)

    def run(times):
        for _ in range(times):
            values = rows.stacked(answers)["values"]
        return {"items": len(values), "answers": values.tolist()}

    return run


def squad(cell):
    """Makes the answers to SQuAD's dev set."""
    path = os.path.join(cell["data_dir"], "squad", "dev-v1.1.json")
    config = _config(run_squad, cell, [f"--predict_file={path}"])
    task = _SomeQuestions(config)
    task.limit = cell["limit"]
    _prepare(task)
    answers = _answers(task)

    def run(times):
        for _ in range(times):
            found = task.answered(answers)
        return {
            "items": len(found),
            "answers": {e.qas_id: answer.text for e, answer in found},
        }

    return run


def latency(cell):
    """Makes the answer to one text."""
    predictor = Predictor.load(os.path.join(cell["model_dir"], "run"))
    texts = sizes.texts(cell)

    def run(times):
        for _ in range(times):
            predictor.predict([next(texts)])

    return run
