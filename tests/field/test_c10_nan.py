"""Issue 15, C 10: weights that are no numbers, for every command."""

import functools
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import (
    export_model,
    extract_features,
    run_classifier,
    run_multiple_choice,
    run_ner,
    run_pretraining,
    run_squad,
)
from bert.errors import UserError
from bert.model_folder import model_files
from bert.model_folder.given import Given
from bert.modeling import checkpoint
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from bert.tasks import finetune, run_weights
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.squad.finetuning import Squad
from bert.tasks.tagging.finetuning import Tagging
from bert.training import head_check
from tests.conversion import exports, run_folder
from tests.conversion.hf_folder import assert_refused
from tests.modeling import checkpoints
from tests.scripts.runner import config_of, model_flags
from tests.training.configs import training_config
from tests.training.test_loop import GoldenRun

NAME = "bert/encoder/layer_0/output/dense/bias"


def spoil(prefix, name=NAME, number=np.nan):
    """Puts a number into a checkpoint's weight."""
    tensors = checkpoints.tensors(prefix)
    tensors[name].flat[3] = number
    checkpoint.write_files(str(prefix), tensors)


@pytest.fixture
def spoilt(golden, tmp_path):
    """A classifier's checkpoint."""
    folder = tmp_path / "model"
    checkpoints.copy(golden / "train_classifier/model.ckpt-12", folder)
    spoil(folder / "model.ckpt-12")
    return folder / "model.ckpt-12"


@pytest.fixture
def pretrained(golden, tmp_path):
    """A checkpoint without a head of fine-tuning."""
    checkpoints.copy(golden / "model_base/bert_model.ckpt", tmp_path / "base")
    spoil(tmp_path / "base/bert_model.ckpt")
    return tmp_path / "base/bert_model.ckpt"


def assert_one_line(call, prefix, out=None):
    """Fails unless one line names the checkpoint, and nothing is written."""
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert f"The checkpoint {prefix} cannot be used: {NAME} must" in message
    assert "learning_rate" not in message
    assert out is None or not os.path.exists(out)


def text_rows(path, *rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def classifier(golden, tmp_path):
    flags = ["--task_name=MNLI", f"--data_dir={golden / 'inputs/mnli'}"]
    return lambda config: run_classifier.classify(config), run_classifier, flags


def squad(golden, tmp_path):
    file = golden / "inputs/squad/dev-v2.0.json"
    flags = [f"--train_file={file}", "--doc_stride=16", "--max_query_length=12"]
    return (
        lambda config: finetune.run(Squad(config)),
        run_squad,
        [*flags, "--version_2_with_negative", "--train_on_answer=first"],
    )


def ner(golden, tmp_path):
    rows = ["the O", "lake B-LOC", "", "a O", "house O", ""] * 20
    file = text_rows(tmp_path / "train.txt", *rows)
    return (
        lambda config: finetune.run(Tagging(config)),
        run_ner,
        [f"--train_file={file}"],
    )


def choice(golden, tmp_path):
    rows = ["text,a,b,label", *["the lake,boat,wood,A"] * 40]
    file = text_rows(tmp_path / "train.csv", *rows)
    flags = [f"--train_file={file}", "--choice_columns=a,b"]
    return (
        lambda config: finetune.run(MultipleChoice(config)),
        run_multiple_choice,
        ["--task_name=csv", "--text_column=text", *flags],
    )


@pytest.mark.parametrize("make", [classifier, squad, ner, choice])
def test_a_training_refuses_its_start_before_it_writes(
    golden, tmp_path, pretrained, make
):
    call, module, flags = make(golden, tmp_path)
    out = tmp_path / "out"
    config = config_of(
        module,
        *model_flags(golden, out),
        f"--init_checkpoint={pretrained}",
        "--do_train",
        "--max_seq_length=48",
        "--train_batch_size=2",
        *flags,
    )
    assert_one_line(lambda: call(config), pretrained, out)


def test_an_evaluation_refuses_the_model_before_it_writes(
    golden, tmp_path, spoilt
):
    call, module, flags = classifier(golden, tmp_path)
    out = tmp_path / "out"
    given = [*model_flags(golden, out), f"--init_checkpoint={spoilt}", *flags]
    for phase in ("--do_eval", "--do_predict"):
        config = config_of(module, *given, "--max_seq_length=40", phase)
        assert_one_line(lambda c=config: call(c), spoilt, out)


@pytest.mark.parametrize("phase", ["--do_train", "--do_eval"])
def test_pre_training_refuses_its_start_before_it_writes(
    golden, tmp_path, spoilt, phase
):
    out = tmp_path / "out"
    file = golden / "pretraining_data/default.tfrecord"
    config = config_of(
        run_pretraining,
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--output_dir={out}",
        f"--input_file={file}",
        f"--init_checkpoint={spoilt}",
        "--max_seq_length=64",
        "--max_predictions_per_seq=10",
        "--num_train_steps=1",
        phase,
    )
    pretrain = functools.partial(run_pretraining.pretrain, config)
    assert_one_line(pretrain, spoilt, out)


def test_a_run_does_not_go_on_from_such_weights(golden, spoilt):
    (spoilt.parent / "checkpoint").write_text(
        f'model_checkpoint_path: "{spoilt.name}"\n'
    )
    out = str(spoilt.parent)
    start = head_check.check_head(
        run_weights.start(training_config(output_dir=out)),
        *(out, "output_weights"),
        trains=True,
    )
    run = GoldenRun(golden, "train_classifier")
    assert_one_line(
        lambda: head_check.check_model(
            start, lambda: run.model, num_train_steps=20
        ),
        spoilt,
    )


def test_features_are_not_made_of_such_weights(golden, tmp_path, spoilt):
    out = tmp_path / "out.jsonl"
    config = config_of(
        extract_features,
        *model_flags(golden),
        f"--input_file={golden / 'inputs/features.txt'}",
        f"--output_file={out}",
        f"--init_checkpoint={spoilt}",
        "--layers=-1",
        "--max_seq_length=32",
    )
    extract = functools.partial(extract_features.extract_features, config)
    assert_one_line(extract, spoilt, out)


@pytest.fixture
def folder(golden, tmp_path):
    """The output_dir of a pre-training whose newest checkpoint is spoilt."""
    run_folder.write(golden, tmp_path / "run", "pretraining")
    spoil(tmp_path / "run/model.ckpt-7")
    return tmp_path / "run"


def test_what_serves_a_model_refuses_it(tmp_path, folder):
    prefix, out = folder / "model.ckpt-7", tmp_path / "out"
    export = config_of(
        export_model, f"--model_dir={folder}", f"--export_dir={out}"
    )
    given = Given(do_lower_case=True)
    for call in (
        lambda: export_model.export_model(export),
        lambda: Predictor.load(str(folder)),
        lambda: MaskedWords.load(str(folder), 8, given),
    ):
        assert_one_line(call, prefix, out)
    assert sorted(os.listdir(tmp_path)) == ["run"]


def test_a_conversion_refuses_it(tmp_path, folder):
    message = f"{folder}/model.ckpt-7 cannot be used: {NAME} must hold numbers"
    assert_refused(folder, tmp_path / "out", message)


def test_an_export_is_not_used_with_such_weights(golden, tmp_path):
    folder = shutil.copytree(
        exports.write(golden, tmp_path, "classification"), tmp_path / "copy"
    )
    prefix = f"{folder}/variables/variables"
    reader = tf.train.load_checkpoint(prefix)
    tensors = {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
    }
    for value in tensors.values():
        if getattr(value, "ndim", 0):
            value.flat[0] = np.inf
    checkpoint.write_files(prefix, tensors)
    for call in (Predictor.load, model_files.find):  # compress_model.py's
        with pytest.raises(UserError, match=f"checkpoint {prefix} cannot be"):
            call(str(folder))
