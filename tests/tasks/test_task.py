import pytest

from bert.errors import UserError
from bert.model_folder import labels
from bert.tasks import task
from bert.training.head_check import Start
from tests.tasks.test_finetune import Toy


class Reader:
    def __init__(self, prefix):
        self.prefix = prefix


@pytest.fixture
def folder(tmp_path):
    """A model's folder with its labels, best weights in a folder of it."""
    labels.write(str(tmp_path), ["b", "a"])
    return tmp_path


def test_labels_stand_beside_the_head(folder, tmp_path):
    best = Start(Reader(f"{folder}/best/model.ckpt-1"), False, 2)
    found = task.kept_labels(best)
    assert found == (["b", "a"], str(folder / "labels.txt"))
    elsewhere = Start(Reader(f"{folder}/other/model.ckpt-1"), True, 2)
    assert task.kept_labels(elsewhere) is None


def test_without_a_head_there_are_no_labels(folder):
    assert task.kept_labels(Start()) is None
    start = Start(Reader(f"{folder}/model.ckpt-1"), True, None)
    assert task.kept_labels(start) is None


def test_training_goes_on_with_the_labels_of_its_folder(config, folder):
    training = config(f"--output_dir={folder}")
    start = Start(Reader(f"{folder}/model.ckpt-1"), True, 2)
    known = task.known_labels(training, None, start)
    assert known is not None
    assert known.names == ["b", "a"]
    # From another folder's model, the training set tells them.
    other = config("--output_dir=other")
    fresh = start._replace(is_resumed=False)
    assert task.known_labels(other, None, fresh) is None
    used = config("--output_dir=other", "--nodo_train", "--do_predict")
    assert task.known_labels(used, None, fresh) == known
    with pytest.raises(UserError, match="the 2 labels b, a"):
        task.known_labels(used, "a,b", fresh)


def test_what_is_kept_with_a_model_is_the_row_of_its_task(config):
    toy = Toy(config())
    toy.read(Start())
    assert toy.num_outputs == 2
    kept = toy.model_task
    assert (kept.task, kept.kind) == ("classification", "classification")
    assert (kept.do_lower_case, kept.max_seq_length) == (True, 16)
    assert kept.options == {}
