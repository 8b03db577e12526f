"""What a pre-training leaves is used at the first try, without a flag."""

import json

import numpy as np
import pytest
import tensorflow as tf

from bert import convert_checkpoint, export_model
from bert import create_pretraining_data as data_creation
from bert import run_pretraining as script
from bert.errors import UserError
from bert.model_folder import weights
from bert.modeling import BertConfig, checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.serving.masked_words import MaskedWords
from bert.serving.predictor import Predictor
from tests.scripts.runner import config_of


def records(golden, path, *args):
    data_creation.create_pretraining_data(
        config_of(
            data_creation,
            f"--input_file={golden}/inputs/corpus_a.txt",
            f"--output_file={path}",
            f"--vocab_file={golden}/inputs/vocab.txt",
            *("--max_seq_length=24", "--max_predictions_per_seq=4"),
            *("--dupe_factor=1", *args),
        )
    )


def pretrain(golden, folder, *args):
    script.pretrain(
        config_of(
            script,
            # The note matches, too.
            f"--input_file={folder}/x.tfrecord*",
            f"--bert_config_file={golden}/model_base/bert_config.json",
            f"--output_dir={folder}/out",
            *("--max_seq_length=24", "--max_predictions_per_seq=4"),
            *("--train_batch_size=4", "--num_train_steps=1", "--random_seed=1"),
            *args,
        )
    )


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """Text → records without a second task → a model, and its evaluation."""
    path = tmp_path_factory.mktemp("pretrained")
    records(golden, path / "x.tfrecord", "--next_sentence=none")
    pretrain(golden, path, "--do_train", "--do_eval", "--max_eval_steps=2")
    return path


@pytest.mark.slow
def test_vocabulary_and_casing_are_kept(golden, folder):
    out = folder / "out"
    assert (out / "vocab.txt").read_bytes() == (
        golden / "inputs/vocab.txt"
    ).read_bytes()
    assert json.loads((out / "task.json").read_text()) == {
        "do_lower_case": True,
        "max_seq_length": 24,
        "task": "pretraining",
    }
    kept = json.loads((out / "resume.json").read_text())
    assert kept["next_sentence"] == "none"


@pytest.mark.slow
def test_the_second_task_is_nowhere(folder):
    out = folder / "out"
    names = checkpoint.Reader(str(out)).shapes
    assert "cls/predictions/output_bias" in names
    assert not any("seq_relationship" in name for name in names)
    assert "bert/pooler/dense/kernel" in names
    assert "next_sentence" not in (out / "eval_results.txt").read_text()
    report = json.loads((out / "eval_report.json").read_text())
    assert "next_sentence" not in report
    assert report["confused"][0]["gold"][0] != "["  # a word, no id


@pytest.mark.slow
def test_it_fills_masks(folder):
    words = MaskedWords.load(str(folder / "out"))
    (answer,) = words.fill([words.request("the [MASK] .")], 2)
    assert len(answer["masks"][0]) == 2


@pytest.mark.slow
def test_it_answers_by_vectors(folder):
    predictor = Predictor.load(str(folder / "out"))
    assert predictor.task.task == "features"
    upper, lower = predictor.predict(["THE boat", "the boat"])
    np.testing.assert_array_equal(
        upper["pooled_output"], lower["pooled_output"]
    )


@pytest.mark.slow
def test_it_is_exported(folder, tmp_path):
    export_model.export_model(
        config_of(
            export_model,
            f"--model_dir={folder}/out",
            f"--export_dir={tmp_path}/export",
        )
    )
    model = tf.saved_model.load(str(tmp_path / "export"))
    outputs = model.signatures["serving_default"].structured_outputs
    assert set(outputs) == {"top_k_ids", "top_k_probabilities"}
    assert (tmp_path / "export/assets/vocab.txt").exists()


@pytest.mark.slow
def test_it_is_converted(folder, tmp_path):
    convert_checkpoint.convert(
        config_of(
            convert_checkpoint,
            f"--input_dir={folder}/out",
            f"--output_dir={tmp_path}/hf",
            "--output_format=huggingface",
        )
    )
    values = json.loads((tmp_path / "hf/config.json").read_text())
    assert values["architectures"] == ["BertForMaskedLM"]
    values = json.loads((tmp_path / "hf/tokenizer_config.json").read_text())
    assert values["do_lower_case"] is True


@pytest.mark.slow
def test_fine_tuning_starts_from_it(golden, folder):
    config = BertConfig.from_json_file(golden / "model_base/bert_config.json")
    prefix = weights.choose(str(folder / "out"))
    report = checkpoint.load_weights(ClassifierModel(config, 2), prefix)
    assert report.fresh == ("output_weights", "output_bias")


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_objective_alone(golden, folder, tmp_path):
    """Here the note is lost."""
    (tmp_path / "x.tfrecord").write_bytes((folder / "x.tfrecord").read_bytes())
    out = f"--output_dir={folder}/out"
    with pytest.raises(
        UserError, match=r'another next_sentence \("none" before, "nsp" now\)'
    ):
        pretrain(golden, tmp_path, out, "--do_train")
    pretrain(golden, tmp_path, out, "--do_train", "--next_sentence=none")


def test_a_broken_note_is_an_error_before_work(golden, folder, tmp_path):
    for content in ("{", '{"settings": {}}'):
        (tmp_path / "x.tfrecord").write_bytes(b"")
        (tmp_path / "x.tfrecord.note.json").write_text(content)
        with pytest.raises(UserError, match="expected the note of create_pre"):
            pretrain(golden, tmp_path, "--do_train")
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_either_objective_starts_from_the_other(
    golden, folder, tmp_path, caplog
):
    records(golden, tmp_path / "x.tfrecord", "--next_sentence=sop")
    init = f"--init_checkpoint={folder}/out"
    with caplog.at_level("INFO", logger="absl"):
        pretrain(golden, tmp_path, "--do_train", init)
    assert "that of --next_sentence=sop starts afresh" in caplog.text
    out = str(tmp_path / "out")
    head = "cls/seq_relationship/output_weights"
    assert head in checkpoint.Reader(out)
    pretrain(
        *(golden, tmp_path, "--do_train", f"--init_checkpoint={out}"),
        *("--next_sentence=none", f"--output_dir={tmp_path}/none"),
    )
    assert head not in checkpoint.Reader(str(tmp_path / "none"))
