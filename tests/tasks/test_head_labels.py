import pytest

from bert.errors import UserError
from bert.model_folder import labels
from bert.tasks import head_labels
from bert.training.head_check import Start


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
    found = head_labels.of_start(best)
    assert found == (["b", "a"], str(folder / "labels.txt"))
    elsewhere = Start(Reader(f"{folder}/other/model.ckpt-1"), True, 2)
    assert head_labels.of_start(elsewhere) is None


def test_without_a_head_there_are_no_labels(folder):
    assert head_labels.of_start(Start()) is None
    start = Start(Reader(f"{folder}/model.ckpt-1"), True, None)
    assert head_labels.of_start(start) is None


def test_training_goes_on_with_the_labels_of_its_folder(config, folder):
    training = config(f"--output_dir={folder}")
    start = Start(Reader(f"{folder}/model.ckpt-1"), True, 2)
    known = head_labels.known(training, None, start)
    assert known is not None
    assert known.names == ["b", "a"]
    # From another folder's model, the training set tells them.
    other = config("--output_dir=other")
    fresh = start._replace(is_resumed=False)
    assert head_labels.known(other, None, fresh) is None
    used = config("--output_dir=other", "--nodo_train", "--do_predict")
    assert head_labels.known(used, None, fresh) == known
    with pytest.raises(UserError, match="the 2 labels b, a"):
        head_labels.known(used, "a,b", fresh)


@pytest.fixture
def growing(config):
    """A training whose head grows, from another folder's model."""
    return config("--output_dir=other", "--grow_labels", "--init_checkpoint=m")


def test_a_head_that_grows_keeps_its_labels_first(growing, folder, caplog):
    caplog.set_level("INFO", logger="absl")
    start = Start(Reader(f"{folder}/model.ckpt-1"), False, 2)
    new = labels.Labels(["a", "c"], "x")
    found = head_labels.settled(growing, new, start)
    assert found.names == ["b", "a", "c"]
    assert caplog.messages[-1].endswith("labels.txt; new: c.")
    # So with those of --labels, which need not name the old ones.
    known = head_labels.known(growing, "c,a", start)
    assert known is not None
    assert known.names == ["b", "a", "c"]
    assert head_labels.known(growing, None, start) is None
    # A run that goes on has all of them already.
    goes_on = start._replace(is_resumed=True)
    assert head_labels.to_keep(growing, goes_on) is None


def test_without_the_flag_the_refusal_names_it(config, folder):
    start = Start(Reader(f"{folder}/model.ckpt-1"), False, 2)
    new = labels.Labels(["a", "c"], "x")
    with pytest.raises(UserError, match=r"keep both \(--grow_labels\)"):
        head_labels.settled(config("--output_dir=other"), new, start)
    with pytest.raises(UserError, match=r"keep both \(--grow_labels\)"):
        head_labels.known(config("--output_dir=other"), "a,c", start)


@pytest.mark.parametrize(
    ("prefix", "num_outputs", "message"),
    [
        ("x/model.ckpt-1", None, "without such a head"),
        ("x/model.ckpt-1", 2, r"without labels\.txt beside it"),
        ("model.ckpt-1", 3, "without a head for the 2 labels beside it"),
    ],
)
def test_what_cannot_grow_is_refused(
    growing, folder, prefix, num_outputs, message
):
    start = Start(Reader(f"{folder}/{prefix}"), False, num_outputs)
    with pytest.raises(UserError, match=f"Received: m, {message}"):
        head_labels.to_keep(growing, start)
