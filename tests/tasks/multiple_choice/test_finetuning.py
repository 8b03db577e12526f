import pytest
import tensorflow as tf

from bert.data.text.tokenization import FullTokenizer
from bert.modeling import BertConfig
from bert.tasks.multiple_choice.finetuning import MultipleChoice
from bert.tasks.task import Prepared
from bert.training.head_check import Start
from tests.tasks.multiple_choice.test_config import parse


@pytest.fixture
def task(golden, tmp_path):
    """Of a training set with three choices and a dev set with two."""
    head = "text,a,b,c,label\n"
    (tmp_path / "train.csv").write_text(head + "t,x,y,z,2\nt,x,y,,1\n")
    (tmp_path / "dev.csv").write_text(head + "t,x,y,,0\n")
    own = ("--task_name=csv", "--choice_columns=a,b,c", "--max_seq_length=8")
    phases = ("--do_train", "--do_eval")
    task = MultipleChoice(parse(*own, *phases, f"--data_dir={tmp_path}"))
    task.read(Start())
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    config = BertConfig(vocab_size=len(tokenizer.vocab))
    task.prepare(Prepared(tf.distribute.get_strategy, config, tokenizer))
    return task


def test_a_set_has_room_for_its_question_of_most_choices(task):
    records = task.training_set()
    assert records.limits == {"label_ids": 3}
    assert [len(row["input_ids"]) for row in records.features()] == [24, 24]
    (walk,) = task.walks()
    assert walk.sets[""].fields[0].shape == [2, 8]
    assert walk.sizes == ["Num examples = 1 (1 actual, 0 padding)"]
    assert task.num_examples == 2
    assert task.num_outputs == 1
    assert [rows for *_, rows in task.data_files()] == [2, 1]


def test_task_json_names_the_task(task):
    assert task.model_task.options == {}
    assert task.model_task.task == "multiple_choice"
