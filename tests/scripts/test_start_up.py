"""A command imports what it needs, and nothing else that takes time."""

import json

import pytest

from tests.scripts.runner import run_code

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
