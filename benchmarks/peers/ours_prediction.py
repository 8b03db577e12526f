"""Our answers: data sets through the scripts' own steps, and one text.

BENCH_PADDED=1 pads all rows to the full length, as on a TPU.
"""

import functools
import json
import os
import tempfile
from pathlib import Path

import sizes
from absl import flags

from bert import run_classifier, run_squad
from bert.evaluation import classification as metrics
from bert.modeling import classification
from bert.serving.predictor import Predictor
from bert.tasks import finetune
from bert.tasks.classification.processors import MrpcProcessor


class _Padded(finetune.Prepared):
    """As on a TPU: every batch has all rows and the full length."""

    fixed_shapes = True


def _prepared(config) -> finetune.Prepared:
    prepared = finetune.prepare(config)
    if os.environ.get("BENCH_PADDED") == "1":
        return _Padded(*prepared)
    return prepared


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
    prepared = _prepared(config)
    processor = MrpcProcessor()
    job = run_classifier.Job(
        config, prepared, processor, processor.get_labels()
    )
    model = run_classifier.make_model(job, seed=1)
    examples = processor.get_test_examples(data_dir)
    source = run_classifier.write_records(job, "predict", {"": examples})[""]
    rows = finetune.Rows(
        prepared,
        model,
        source,
        config.predict_batch_size,
        functools.partial(classification.predicted, job.kind),
    )

    def run(times):
        for _ in range(times):
            values = metrics.stacked(rows)["values"]
        return {"items": len(values), "answers": values.tolist()}

    return run


def squad(cell):
    """Makes the answers to SQuAD's dev set."""
    path = os.path.join(cell["data_dir"], "squad", "dev-v1.1.json")
    config = _config(run_squad, cell, [f"--predict_file={path}"])
    prepared = _prepared(config)
    examples = run_squad.read_examples(config).predict
    examples = examples[:: max(1, len(examples) // (cell["limit"] or 10**9))]
    asked = run_squad.make_windows(config, prepared, examples, "eval.tf_record")
    model = run_squad.make_model(prepared, seed=1)
    rows = run_squad.results_of(config, prepared, asked, model)

    def run(times):
        for _ in range(times):
            found = run_squad.answered(config, asked, rows)
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
