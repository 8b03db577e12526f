import json
import shutil

import numpy as np
import pytest

from bert import run_classifier
from bert import run_classifier_with_tfhub as script
from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling import checkpoint
from bert.serving import export
from tests.modeling.checkpoints import tensors
from tests.scripts import runner
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "run_classifier_with_tfhub.py"


@pytest.fixture(scope="module")
def module(golden, tmp_path_factory):
    """An encoder's SavedModel, and nothing else of the model."""
    folder = tmp_path_factory.mktemp("hub")
    model = shutil.copytree(golden / "model_base", folder / "model")
    shutil.copy(golden / "inputs/vocab.txt", model)
    source = model_files.find(str(model), Given(do_lower_case=True))
    export.export(source, str(folder / "module"), raw_strings=False)
    shutil.rmtree(model)
    return folder / "module"


def command(golden, module, out):
    return [
        f"--bert_hub_module_handle={module}",
        "--task_name=mrpc",
        f"--data_dir={golden / 'inputs/mrpc'}",
        f"--output_dir={out}",
        "--max_seq_length=20",
        "--train_batch_size=4",
        "--learning_rate=1e-3",
        "--random_seed=1",
        "--do_train",
        "--do_predict",
    ]


@pytest.mark.slow
def test_a_module_is_trained_as_its_checkpoint_is(golden, module, tmp_path):
    run(SCRIPT, *command(golden, module, tmp_path / "hub"))
    _, *args = command(golden, module, tmp_path / "plain")
    files = [
        *runner.model_flags(golden),
        f"--init_checkpoint={golden / 'model_base/bert_model.ckpt'}",
    ]
    run_classifier.classify(config_of(run_classifier, *args, *files))
    plain, hub = tensors(tmp_path / "plain"), tensors(tmp_path / "hub")
    assert plain.keys() == hub.keys()
    assert all(np.array_equal(plain[name], hub[name]) for name in plain)
    first = (tmp_path / "hub/test_results.tsv").read_text()
    assert first == (tmp_path / "plain/test_results.tsv").read_text()


def test_vocabulary_and_casing_are_the_modules(golden, module, tmp_path):
    args = command(golden, module, tmp_path / "out")
    given = ["--nodo_lower_case", "--vocab_file=nowhere.txt"]
    config = config_of(script, *args, *given)
    assert config.do_lower_case
    assert config.vocab_file == f"{module}/assets/vocab.txt"
    assert config.bert_config_file == f"{module}/assets/bert_config.json"
    assert config.init_checkpoint == str(module)


@pytest.mark.parametrize(
    "missing", ["saved_model.pb", "assets/vocab.txt", "assets/task.json"]
)
def test_what_is_no_module_is_refused(golden, module, tmp_path, missing):
    copy = shutil.copytree(module, tmp_path / "module")
    (copy / missing).unlink()
    with pytest.raises(UserError, match=rf"Received: .*, without .*{missing}"):
        config_of(script, *command(golden, copy, tmp_path / "out"))


def test_a_model_with_a_head_is_refused(golden, module, tmp_path):
    copy = shutil.copytree(module, tmp_path / "module")
    task = json.loads((copy / "assets/task.json").read_text())
    task |= {"task": "classification", "kind": "classification"}
    (copy / "assets/task.json").write_text(json.dumps(task))
    with pytest.raises(UserError, match=r"--task=features .* for classificat"):
        config_of(script, *command(golden, copy, tmp_path / "out"))


def test_the_model_of_texts_is_refused(golden, module, tmp_path):
    raw = shutil.copytree(module, tmp_path / "module/raw_strings")
    with pytest.raises(UserError, match="name the folder that it is in"):
        config_of(script, *command(golden, raw, tmp_path / "out"))


def test_a_handle_of_tfhub_is_one_line(golden, tmp_path):
    handle = "https://tfhub.dev/google/bert_uncased_L-12_H-768_A-12/1"
    line = error_of(SCRIPT, *command(golden, handle, tmp_path / "out"))
    assert "export_model.py --task=features" in line
    _, *args = command(golden, handle, tmp_path / "out")
    line = error_of(SCRIPT, *args)
    assert "required flags are missing: --bert_hub_module_handle" in line


def test_a_saved_model_of_others_is_refused(tmp_path):
    import tensorflow as tf

    theirs = tf.train.Checkpoint()
    theirs.kernel = tf.Variable([1.0])
    tf.saved_model.save(theirs, str(tmp_path / "theirs"))
    with pytest.raises(UserError, match="has the names of Python objects"):
        checkpoint.Reader(str(tmp_path / "theirs"))
