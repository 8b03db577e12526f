import os

import numpy as np
import pytest
import tensorflow as tf

from bert.conversion import output_folder
from bert.conversion.model import Model, make_task
from bert.errors import UserError
from bert.files import atomic_files
from bert.modeling import BertConfig, checkpoint
from bert.tasks import spec
from tests.conversion import hf_folder

FILES = [
    "bert_config.json",
    "bert_model.ckpt.data-00000-of-00001",
    "bert_model.ckpt.index",
    "task.json",
    "vocab.txt",
]


def write(folder, value=1.0, labels=()):
    """Writes a model of one tensor and one token, both told by value."""
    model = Model(
        BertConfig(vocab_size=int(value)),
        {"bias": np.full([4], value, np.float32)},
        f"{value}\n".encode(),
        make_task(spec.find("features"), True, 128),
        labels,
    )
    output_folder.write(
        str(folder),
        output_folder.ORIGINAL,
        output_folder.prepare_original(model),
    )


def check(folder, overwrite):
    output_folder.check(str(folder), output_folder.ORIGINAL, overwrite)


@pytest.fixture
def old_model(tmp_path):
    """A folder with the model of 1."""
    folder = tmp_path / "out"
    folder.mkdir()
    write(folder)
    return folder


def assert_model(folder, value):
    assert sorted(os.listdir(folder)) == FILES
    found = checkpoint.Reader(str(folder)).read("bias")
    np.testing.assert_array_equal(found, np.full([4], value))
    config = BertConfig.from_json_file(str(folder / "bert_config.json"))
    assert config.vocab_size == int(value)
    assert (folder / "vocab.txt").read_text() == f"{value}\n"


def test_a_model_is_replaced_whole(old_model):
    assert_model(old_model, 1.0)
    check(old_model, overwrite=True)
    write(old_model, 2.0)
    assert_model(old_model, 2.0)


def test_labels_of_the_old_model_go_with_it(old_model):
    write(old_model, 2.0, labels=["a", "b"])
    assert (old_model / "labels.txt").read_text() == "a\nb\n"
    check(old_model, overwrite=True)
    write(old_model, 3.0)
    assert_model(old_model, 3.0)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_would_be_read_instead_is_refused(tmp_path, overwrite):
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "x"')
    with pytest.raises(UserError, match="has checkpoint, which belongs to"):
        check(tmp_path, overwrite)


@pytest.mark.parametrize(
    "name",
    ["bert_model.ckpt.index", "bert_config.json", "vocab.txt"],
)
def test_a_model_in_output_dir_is_kept_unless_told(golden, tmp_path, name):
    folder = hf_folder.write(golden, tmp_path / "hf")
    out = tmp_path / "out"
    out.mkdir()
    for kept in (name, "notes.txt"):
        (out / kept).write_text("mine")
    with pytest.raises(UserError, match=rf"{name}.*--overwrite"):
        hf_folder.convert(folder, out)
    assert (out / name).read_text() == "mine"
    assert sorted(os.listdir(out)) == sorted([name, "notes.txt"])

    hf_folder.convert(folder, out, overwrite=True)
    assert sorted(os.listdir(out)) == sorted([*FILES, "notes.txt"])
    assert len(checkpoint.Reader(str(out)).shapes) == 62
    assert (out / "notes.txt").read_text() == "mine"


def test_output_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="is a file, not a folder"):
        check(tmp_path / "out", overwrite=True)


def test_a_remote_output_dir_is_refused():
    with pytest.raises(UserError, match=r"a local folder\. Received: g"):
        check("gs://bucket/model", overwrite=False)


def make_folder(path, elsewhere):
    path.mkdir()
    (path / "x").write_text("mine")


def make_link(path, elsewhere):
    elsewhere.write_text("mine")
    path.symlink_to(elsewhere)


def make_dangling_link(path, elsewhere):
    path.symlink_to(elsewhere)


def make_pipe(path, elsewhere):
    os.mkfifo(path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("make", "found"),
    [
        (make_folder, "a folder"),
        (make_link, "a symbolic link"),
        (make_dangling_link, "a symbolic link"),
        (make_pipe, "no plain file"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_plain_file_is_refused(
    tmp_path, name, make, found, overwrite
):
    make(tmp_path / name, tmp_path / "elsewhere")
    with pytest.raises(UserError, match=rf"{name} must be .*: {found}"):
        check(tmp_path, overwrite)


def test_the_old_model_is_whole_after_a_refusal(golden, tmp_path, old_model):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (old_model / "vocab.txt").unlink()
    make_folder(old_model / "vocab.txt", None)
    with pytest.raises(UserError, match=r"vocab.txt must be a file"):
        hf_folder.convert(folder, old_model, overwrite=True)
    assert sorted(os.listdir(old_model)) == FILES
    found = checkpoint.Reader(str(old_model)).read("bias")
    np.testing.assert_array_equal(found, np.ones([4]))
    assert (old_model / "vocab.txt/x").read_text() == "mine"


@pytest.mark.parametrize("make", [make_folder, make_link])
def test_what_comes_in_the_way_while_writing_costs_nothing(
    tmp_path, old_model, monkeypatch, make
):
    vocab = old_model / "vocab.txt"
    to_json_string = BertConfig.to_json_string

    def meanwhile(config):
        vocab.unlink()
        make(vocab, tmp_path / "elsewhere")
        return to_json_string(config)

    monkeypatch.setattr(BertConfig, "to_json_string", meanwhile)
    with pytest.raises(UserError, match=r"vocab.txt must be a file"):
        write(old_model, 2.0)
    assert sorted(os.listdir(old_model)) == FILES
    found = checkpoint.Reader(str(old_model)).read("bias")
    np.testing.assert_array_equal(found, np.ones([4]))
    mine = vocab / "x" if make is make_folder else tmp_path / "elsewhere"
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (checkpoint, "write_files"),
        (BertConfig, "to_json_string"),
        (atomic_files, "sync"),
    ],
)
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path, old_model, monkeypatch, module, name
):
    def fail(*_):
        # As TensorFlow leaves it where the disk is full.
        index = output_folder._TEMPORARY + "bert_model.ckpt.index.tempstate123"
        for folder in (old_model, tmp_path / "new"):
            (folder / index).write_text("half")
        raise OSError("no space left")

    (tmp_path / "new").mkdir()
    monkeypatch.setattr(module, name, fail)
    with pytest.raises(OSError, match="no space"):
        write(old_model, 2.0)
    assert_model(old_model, 1.0)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == []


@pytest.mark.parametrize("renames", range(5))
def test_a_stop_between_the_renames_leaves_no_mixed_model(
    old_model, monkeypatch, renames
):
    rename, done = tf.io.gfile.rename, []

    def stop(source, target, overwrite):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(target)
        rename(source, target, overwrite)

    # As where a file system cannot do it in one step.
    monkeypatch.setattr(atomic_files, "replace_files", lambda *_: False)
    monkeypatch.setattr(tf.io.gfile, "rename", stop)
    with pytest.raises(KeyboardInterrupt):
        write(old_model, 2.0)
    assert sorted(os.listdir(old_model)) == [
        name for name in FILES if not name.endswith(".index")
    ]


class Killed(BaseException):
    """Nothing is done any more."""


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_kill_leaves_the_old_model_or_the_new_one(
    old_model, monkeypatch, step
):
    (old_model / "notes.txt").write_text("mine")
    exchange = atomic_files._exchange

    def kill(*paths):
        if step == "after":
            assert exchange(*paths)
        raise Killed

    monkeypatch.setattr(atomic_files, "_exchange", kill)
    with pytest.raises(Killed):
        write(old_model, 2.0)
    assert (old_model / "notes.txt").read_text() == "mine"
    (old_model / "notes.txt").unlink()
    assert_model(old_model, 1.0 if step == "before" else 2.0)
    assert os.listdir(old_model.parent) == ["out"]


def test_what_a_killed_conversion_left_is_no_checkpoint(old_model):
    left = output_folder._TEMPORARY + "bert_model.ckpt.index"
    (old_model / left).write_text("half")
    assert len(checkpoint.Reader(str(old_model)).shapes) == 1
    write(old_model, 2.0)
    assert_model(old_model, 2.0)


def test_the_folder_that_one_is_in_stays_the_same(old_model, monkeypatch):
    monkeypatch.chdir(old_model)
    write(old_model, 2.0)
    assert_model(old_model, 2.0)
    assert sorted(os.listdir(".")) == FILES
