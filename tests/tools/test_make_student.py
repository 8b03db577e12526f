"""A student is made of every k-th layer of its teacher."""

import numpy as np
import pytest

from bert.errors import UserError
from bert.model_folder import task_files
from bert.modeling import BertConfig, checkpoint
from bert.tools import make_student as script
from tests.conversion import run_folder
from tests.scripts.runner import config_of


@pytest.fixture
def make(golden, tmp_path):
    """Returns a function: a name of `run_folder.RUNS` and flags → folders."""

    def run(name, *args):
        teacher, out = tmp_path / name, tmp_path / "student"
        if not teacher.exists():
            run_folder.write(golden, teacher, name, num_hidden_layers=4)
        script.make_student(
            config_of(
                script, f"--model_dir={teacher}", f"--output_dir={out}", *args
            )
        )
        return teacher, out

    return run


def test_a_student_has_every_second_layer_and_the_rest(make):
    teacher, out = make("pretraining", "--num_layers=2")
    theirs, own = (checkpoint.Reader(str(path)) for path in (teacher, out))
    config = BertConfig.from_json_file(out / "bert_config.json")
    assert config.num_hidden_layers == 2
    model = run_folder.make_model("pretraining", config)
    assert {*own.shapes} == {*checkpoint.named_variables(model)}
    for name in own.shapes:
        source = name.replace("layer_1/", "layer_3/")
        source = source.replace("layer_0/", "layer_1/")
        np.testing.assert_array_equal(own.read(name), theirs.read(source))
    assert (out / "vocab.txt").read_bytes() == (
        teacher / "vocab.txt"
    ).read_bytes()
    task = task_files.read(str(out / "task.json"))
    assert (task.task, task.do_lower_case) == ("pretraining", True)


def test_a_fine_tuned_head_is_left_out(make):
    _, out = make("classification", "--num_layers=1")
    names = checkpoint.Reader(str(out)).shapes
    assert all(name.startswith("bert/") for name in names)
    assert "bert/pooler/dense/kernel" in names
    assert task_files.read(str(out / "task.json")).task == "features"
    assert not (out / "labels.txt").exists()
    with pytest.raises(UserError, match="holds a model already"):
        make("classification", "--num_layers=2")
    make("classification", "--num_layers=2", "--overwrite")


@pytest.mark.parametrize("number", [3, 4, 8])
def test_layers_that_cannot_be_chosen_are_refused(make, tmp_path, number):
    with pytest.raises(UserError, match=f"taken: 1, 2. Received: {number}"):
        make("pretraining", f"--num_layers={number}")
    assert not (tmp_path / "student").exists()


def test_an_encoder_without_such_layers_is_refused(golden, tmp_path):
    folder = tmp_path / "teacher"
    run_folder.write(golden, folder, "classification", encoder_type="bilstm")
    with pytest.raises(UserError, match=r"expected a BERT, .* a bilstm"):
        script.make_student(
            config_of(
                script,
                *(f"--model_dir={folder}", f"--output_dir={tmp_path}/out"),
                "--num_layers=1",
            )
        )
