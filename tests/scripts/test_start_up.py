"""A command imports what it needs, and nothing else that takes time."""

import json
import re

import pytest

from tests.scripts.runner import ROOT, run, run_code

# What reads one kind of files, writes event files, or counts entities.
EXTRAS = ["safetensors", "seqeval", "tensorboard", "tensorflow_text", "torch"]


def imported(code, *args):
    """Returns the modules and packages that running the code imports."""
    code += "\nimport json, sys; print(json.dumps(list(sys.modules)))"
    ran = run_code(code, *args)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_data_is_created_without_tensorflow(golden, tmp_path):
    found = imported(
        """
from absl import flags
from bert import create_pretraining_data as script
from bert.cli import environment
import sys
script.FLAGS(sys.argv)
environment.leave_out_keras()
script.main()
""",
        f"--input_file={golden / 'inputs/corpus_b.txt'}",
        f"--output_file={tmp_path / 'out'}",
        f"--vocab_file={golden / 'inputs/vocab.txt'}",
        "--dupe_factor=1",
    )
    assert "numpy" in found
    assert not found & {"tensorflow", "keras", "sklearn", *EXTRAS}
    assert (tmp_path / "out").stat().st_size > 0


@pytest.mark.parametrize(
    "modules",
    [
        "bert.training.run, bert.tasks.finetune, bert.serving.predictor, "
        "bert.data.records.input_pipeline, bert.data.records.record_reuse, "
        "bert.modeling.heads, bert.modeling.classifiers, "
        "bert.tasks.classification.metrics, bert.tasks.squad.metrics, "
        "bert.tasks.tagging.metrics, bert.tasks.features.feature_files",
    ],
)
def test_a_run_imports_no_extra_before_it_needs_it(modules):
    assert not imported(f"import {modules}") & set(EXTRAS)


@pytest.mark.slow
def test_tensorflow_starts_without_a_word():
    ran = run_code("""
from absl import flags
from bert.cli import command_line
import os

def main():
    import tensorflow as tf
    os.write(2, b"from here on all is shown\\n")
    print(tf.config.list_logical_devices("CPU")[0].name)
    print(tf.ones([2, 2]) @ tf.ones([2, 2]))

command_line.run(main, flags.FlagValues())
""")
    assert "CPU:0" in ran.stdout, ran.stderr
    assert ran.stderr == "from here on all is shown\n"


@pytest.mark.slow
def test_a_fine_tuning_logs_what_its_style_says(golden, tmp_path):
    tickets = ROOT / "sample_data/tickets"
    args = [
        "run_classifier.py",
        *("--task_name=csv", "--text_column=text", "--label_column=team"),
        *("--do_train", f"--train_file={tickets / 'train.csv'}"),
        *("--do_eval", f"--dev_file={tickets / 'dev.csv'}"),
        *("--do_predict", f"--test_file={tickets / 'new.csv'}"),
        f"--vocab_file={golden / 'inputs/vocab.txt'}",
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
        *("--max_seq_length=32", "--train_batch_size=8", "--random_seed=1"),
        "--num_train_epochs=1",
    ]
    short, found = (
        run(*args, f"--output_dir={tmp_path / style}", f"--log_style={style}")
        for style in ("short", "json")
    )
    said = re.sub(r"^[\d:]{8} ", "", short.stderr, flags=re.M)
    assert 15 <= said.count("\n") <= 25, said
    for what in (
        "Labels: account (15), ",
        "  Num steps = 7\n",
        f"Loaded 55 weights from {golden}",
        "step 7/7, ",
        "/s, 0:00 left; loss = 1.",
        f"; saved {tmp_path / 'short/model.ckpt-7'}\n",
        f"; in {tmp_path / 'short/eval_results.txt'}\n",
        f"Wrote {tmp_path / 'short/predictions.jsonl'}\n",
    ):
        assert what in said
    entries = [json.loads(line) for line in found.stderr.splitlines()]
    assert len(entries) > 100
    (trained,) = (e for e in entries if e.get("unit") == "step")
    assert (trained["done"], trained["total"]) == (7, 7)
    # Without the first step, which takes a second to compile.
    assert trained["global_step/sec"] == trained["per_second"] > 2
    (figures,) = (e for e in entries if "eval_accuracy" in e)
    assert figures["global_step"] == 7
    for name in ("eval_results.txt", "predictions.jsonl"):
        written = [tmp_path / style / name for style in ("short", "json")]
        assert written[0].read_bytes() == written[1].read_bytes()
