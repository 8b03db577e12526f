import pytest
import tensorflow as tf

from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.modeling import BertConfig
from bert.tasks.tagging import inference
from bert.tasks.tagging.finetuning import Tagging
from bert.tasks.task import Prepared
from bert.training.head_check import Start
from tests.tasks.tagging.test_config import parse


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.txt").write_text("the O\nboat B-X\n\nlake B-X\n")
    (tmp_path / "test.txt").write_text("the other\n")
    return tmp_path


def tagging(folder, *args):
    task = Tagging(parse(f"--data_dir={folder}", *args))
    task.read(Start())
    return task


def test_labels_are_those_of_the_training_set(folder):
    task = tagging(folder, "--do_train")
    assert task.labels == ["O", "B-X"]
    assert task.num_outputs == 2
    assert "f1" in task.metric_names()


def test_a_test_sets_own_labels_are_not_looked_at(folder, golden):
    task = tagging(folder, "--do_train", "--do_predict", "--max_seq_length=8")
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    config = BertConfig(vocab_size=len(tokenizer.vocab))
    task.prepare(Prepared(tf.distribute.get_strategy, config, tokenizer))
    assert task.num_examples == 2
    (walk,) = task.walks()
    (row,) = walk.sets[""].features()
    assert (sum(row["label_mask"]), set(row["label_ids"])) == (1, {0})
    assert walk.sizes == ["Num sentences = 1"]
    assert task.data_files() == [
        ("train", str(folder / "train.txt"), 2),
        ("test", str(folder / "test.txt"), 1),
    ]
    (folder / "dev.txt").write_text("the other\n")
    with pytest.raises(UserError, match="one of the labels"):
        tagging(folder, "--do_train", "--do_eval")


def test_an_answer_is_the_likeliest_label_and_its_probability():
    class Model:
        def losses(self, outputs, batch):
            return {"token": tf.constant([0.5, 1.5])}

    batch = {"label_mask": tf.constant([[0, 1]])}
    outputs = {"logits": tf.constant([[[0.0, 0.0], [0.0, 3.0]]])}
    found = inference.select(Model(), outputs, batch)
    assert found["label_ids"].numpy().tolist() == [[0, 1]]
    assert found["losses"].numpy().tolist() == [[0.5, 1.5]]
    assert float(found["probabilities"][0, 1]) == pytest.approx(0.9525741)


def test_new_labels_stand_behind_those_of_a_head_that_grows(folder):
    (folder / "labels.txt").write_text("B-Y\nO\n")

    class Reader:
        prefix = str(folder / "model.ckpt-1")

    start = Start(Reader(), False, 2)
    args = (f"--data_dir={folder}", "--do_train", "--init_checkpoint=m")
    task = Tagging(parse(*args, "--grow_labels"))
    task.read(start)
    assert task.labels == ["B-Y", "O", "B-X"]
    with pytest.raises(UserError, match=r"keep both \(--grow_labels\)"):
        Tagging(parse(*args)).read(start)
