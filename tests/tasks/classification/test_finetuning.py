import pytest

from bert import run_classifier
from bert.errors import UserError
from bert.tasks.classification.finetuning import Classification
from bert.tasks.classification.processors import DataProcessor, InputExample
from bert.training.head_check import Start
from tests.tasks.classification.test_config import parse


class Mine(DataProcessor):
    """Two labels; the text is the set's name."""

    bad = ""

    def get_train_examples(self, data_dir):
        return self._examples("train")

    def get_dev_examples(self, data_dir):
        return self._examples("dev")

    def get_test_examples(self, data_dir):
        return self._examples("test")

    def get_labels(self):
        return ["no", "yes"]

    def _examples(self, name):
        label = "maybe" if name == self.bad else "yes"
        return [InputExample(f"{name}-1", name, label=label)]


ALL = ("--task_name=mine", "--do_train", "--do_predict")


@pytest.fixture
def task(monkeypatch):
    """Returns a function: the set with a bad label to the task, unread."""

    def make(bad="", **attributes):
        mine = type("Mine", (Mine,), {"bad": bad, **attributes})
        monkeypatch.setitem(run_classifier.processors, "mine", mine)
        return Classification(parse(*ALL))

    return make


@pytest.mark.parametrize("place", ["train", "dev", "test"])
def test_a_label_that_the_task_lacks_is_found_in_any_set(task, place):
    with pytest.raises(UserError, match=f"Example {place}-1: .*'maybe'"):
        task(bad=place).read(Start())


def test_what_is_read_is_what_is_counted(task):
    mine = task(metric_names=("f1",))
    mine.read(Start())
    assert (mine.num_examples, mine.num_outputs) == (1, 2)
    assert mine.data_files() == []  # nobody knows
    assert mine.metric_names() == ["eval_loss", "loss", "eval_accuracy", "f1"]
    assert mine.spec.head == "output_weights"


def test_numbers_have_one_output_and_a_head_of_their_own(task):
    mine = task(kind="regression", get_labels=None)
    assert mine.spec.head == "cls/regression/output_weights"
    with pytest.raises(UserError, match="expected a number as label"):
        mine.read(Start())
    assert mine.num_outputs == 1


def test_sets_are_told_with_their_files_and_rows(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("text,label\na,x\nb,y\nc,x\n")
    own = ("--task_name=csv", f"--train_file={path}", f"--dev_file={path}")
    mine = Classification(parse(*own, "--do_train", "--do_eval"))
    mine.read(Start())
    assert mine.data_files() == [
        ("train", str(path), 3),
        ("dev", str(path), 3),
    ]


def test_unlabelled_pairs_of_a_task_of_glue_have_columns_of_their_own(
    golden, tmp_path
):
    (tmp_path / "more.csv").write_text("a,b,id\nthe lake,the boat,7\n")

    def read(*args):
        task = Classification(
            parse(
                *("--task_name=MRPC", f"--data_dir={golden}/inputs/mrpc"),
                *("--do_train", "--teacher_dir=y/teacher"),
                f"--distill_data={tmp_path}/more.csv",
                *args,
            )
        )
        task.read(Start())
        return task

    task = read("--text_column=a", "--pair_column=b")
    (example,) = task.unlabelled
    assert (example.text_a, example.text_b) == ("the lake", "the boat")
    assert task.has_pairs
    with pytest.raises(UserError, match="expected pairs of texts, as in the"):
        read("--text_column=a")
    with pytest.raises(UserError, match="--id_column is for one's own files"):
        read("--text_column=a", "--pair_column=b", "--id_column=id")
