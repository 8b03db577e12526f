"""Masked words as one of several tasks."""

import pytest
import tensorflow as tf

from bert import run_pretraining as script
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks.multitask.masked_words import MaskedWords
from bert.tasks.task import Prepared
from bert.training.head_check import Start
from tests.conversion import run_folder
from tests.scripts.runner import config_of


@pytest.fixture
def make(golden, tmp_path):
    """Returns a function: flags to the task, read and prepared."""

    def task(*args):
        records = golden / "pretraining_data/default.tfrecord"
        made = MaskedWords(
            config_of(
                script,
                *(f"--input_file={records}", "--next_sentence=none"),
                f"--vocab_file={golden / 'inputs/vocab.txt'}",
                *("--bert_config_file=x", f"--output_dir={tmp_path}/out"),
                *("--max_seq_length=64", "--max_predictions_per_seq=10"),
                *("--do_train", *args),
            )
        )
        made.read(Start())
        tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
        sizes = run_folder.tiny_config(max_position_embeddings=64)
        made.prepare(Prepared(tf.distribute.get_strategy, sizes, tokenizer))
        return made

    return task


def test_an_epoch_is_counted_in_records(make, golden):
    task = make("--eval_steps=3")
    records = golden / "pretraining_data/default.tfrecord"
    assert task.num_examples == sum(1 for _ in tf.data.TFRecordDataset(records))
    assert task.data_files() == [("input", str(records), None)]
    assert {*task.metric_names()} == {
        *("loss", "masked_lm_accuracy", "masked_lm_loss")
    }
    assert task.make_evaluate() is not None
    assert make().make_evaluate() is None


def test_its_model_has_no_second_task(make):
    model = make().make_model(1)
    assert not model.uses_pooler
    assert not model.has_next_sentence


def test_alone_it_is_pre_training(make):
    with pytest.raises(UserError, match=r"run_pretraining\.py does that"):
        make().run_alone()


def test_what_is_not_evaluated_has_no_figures(make):
    assert make().use(None, 3) == {}


def test_results_do_not_replace_records(make, golden, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    records = golden / "pretraining_data/default.tfrecord"
    file = out / "eval_results.txt"
    file.write_bytes(records.read_bytes())
    with pytest.raises(UserError, match="would be replaced by this command"):
        make(f"--input_file={file}")
