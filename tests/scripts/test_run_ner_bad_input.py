"""Bad input of run_ner.py ends in one line, and nothing is lost."""

import shutil

import pytest

from bert.errors import UserError
from tests.modeling import checkpoints
from tests.scripts.runner import error_of
from tests.scripts.toy_tagging import model_flags, tag

GOOD = "the O\nboat B-X\n\nof I-X\n"


@pytest.fixture
def folder(tmp_path):
    """A data_dir of sound files; out is to be the output_dir."""
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.txt").write_text(GOOD)
    return tmp_path


@pytest.fixture(scope="module")
def trained(golden, tmp_path_factory):
    """An output_dir with a model of the labels O, B-X, I-X."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "train.txt").write_text(GOOD)
    tag(
        *model_flags(golden, folder / "out"),
        f"--data_dir={folder}",
        "--do_train",
        "--train_batch_size=2",
        "--num_train_epochs=1",
    )
    return folder / "out"


def content(out):
    return {p.name: p.read_bytes() for p in out.rglob("*") if p.is_file()}


def fails(golden, folder, *args):
    """Returns the error of a command, which must leave its files alone."""
    before = content(folder)
    with pytest.raises(UserError) as error:
        tag(
            *model_flags(golden, folder / "out"),
            f"--data_dir={folder}",
            *args,
        )
    assert len(str(error.value).splitlines()) == 1
    assert content(folder) == before
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "given", "parts"),
    [
        ("train", b"", ["train.txt: expected a word a line", "without words"]),
        ("train", b"\n \n\t\n", ["train.txt: expected", "without words"]),
        ("train", b"-DOCSTART- O\n\n", ["train.txt: expected", "without wor"]),
        ("train", b"the O\n\nboat\n", ["line 3: expected 2 column", "'boat'"]),
        ("dev", b"the O\nboat X O\n", ["dev.txt, line 2", "'boat X O'"]),
        (
            "dev",
            b"the O\n\nboat B-Y\n",
            ["dev.txt, line 3", "O, B-X, I-X", "'boat B-Y'", "--labels"],
        ),
        ("test", b"the\nboat O\n", ["test.txt, line 2: expected 1 column"]),
        ("dev", b"the\tO\nboat \t\n", ["dev.txt, line 2", "between TABs"]),
        ("train", b"the\nboat\n", ["line 1: expected a word", "found 1 col"]),
        ("dev", b"the\nboat\n", ["dev.txt, line 1", "--label_column"]),
        ("dev", b"the O\nb\0 O\n", ["dev.txt, line 2", "the byte 0x00"]),
        ("test", b"the\n\nB\xe4r\n", ["test.txt, line 3", "byte 0xe4"]),
        ("train", b"\xff\xfet\0h\0", ["train.txt, line 1", "UTF-8"]),
        ("train", b"the O\nboat O\n", ["train.txt: expected at least 2 labe"]),
    ],
)
def test_a_bad_file_is_named_with_its_line(golden, folder, name, given, parts):
    (folder / f"{name}.txt").write_bytes(given)
    line = fails(golden, folder, "--do_train", "--do_eval", "--do_predict")
    assert str(folder / f"{name}.txt") in line
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (
            [],
            ["At least one of --do_train, --do_eval, --do_predict and"],
        ),
        (["--do_train", "--data_dir="], ["--train_file must be given, or"]),
        (
            ["--do_train", "--eval_steps=5", "--train_file=x", "--data_dir="],
            ["--dev_file must be given, or --data_dir"],
        ),
        (
            ["--do_train", "--train_file=/nothing.txt"],
            ["/nothing.txt", "No su"],
        ),
        (["--do_train", "--train_file=/tmp"], ["cannot read /tmp", "a direct"]),
        (["--do_train", "--label_column=0"], ["--label_column must differ"]),
        (["--do_train", "--label_column=5"], ["train.txt, line 1", "column 5"]),
        (["--do_train", "--token_column=9"], ["train.txt, line 1", "column 9"]),
        (["--do_train", "--labels=O,B-X"], ["line 4", "O, B-X (those of --l"]),
        (["--do_train", "--labels=O,B-X,O"], ["--labels='O,B-X,O'", "twice"]),
        (["--do_train", "--labels=O,,X"], ["--labels='O,,X'", "not empty"]),
        (["--do_eval"], ["There is no trained model"]),
        (
            ["--do_train", "--train_batch_size=32"],
            ["--num_train_epochs gives 0 steps of --train_batch_size=32"],
        ),
        (
            ["--do_train", "--eval_steps=1", "--save_best=macro_f1"],
            ["--save_best must be one of the metrics", "f1", "'macro_f1'"],
        ),
        (["--do_train", "--max_seq_length=65"], ["sequence length 65 because"]),
    ],
)
def test_flags_that_do_not_fit_are_named(golden, folder, flags, parts):
    line = fails(golden, folder, *flags)
    for part in parts:
        assert part in line


def test_a_vocabulary_larger_than_the_model_is_refused(golden, folder):
    vocab = folder / "vocab.txt"
    tokens = (golden / "inputs/vocab.txt").read_text() + "another\n"
    vocab.write_text(tokens)
    line = fails(golden, folder, "--do_train", f"--vocab_file={vocab}")
    assert f"{vocab} has 392 tokens, but vocab_size" in line


@pytest.mark.parametrize("flag", ["--do_train", "--do_predict"])
def test_a_model_of_another_task_in_output_dir_is_kept(golden, folder, flag):
    out = folder / "out"
    checkpoints.put(golden / "train_classifier/model.ckpt-6", out)
    (out / "train.tf_record").write_bytes(b"the classifier's")
    line = fails(golden, folder, flag, "--labels=O,B-X,I-X")
    assert f"{out}/model.ckpt-6 has no cls/token/output_weights" in line
    assert "name another --output_dir" in line


@pytest.mark.parametrize("flags", [["--do_train"], ["--do_predict"]])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_another_model_than_the_checkpoints_changes_nothing(
    golden, folder, trained, flags, elsewhere
):
    config = checkpoints.changed_config(golden, folder, num_hidden_layers=4)
    flags = [*flags, config, "--train_batch_size=1"]
    if elsewhere:
        flags.append(f"--init_checkpoint={trained}")
    else:
        shutil.copytree(trained, folder / "out")
    line = fails(golden, folder, *flags)
    assert "such as bert/encoder/layer_3/" in line
    assert (folder / "out").exists() != elsewhere


def test_a_model_of_other_labels_is_no_start(golden, folder, trained):
    (folder / "train.txt").write_text("the O\nboat B-X\n")
    line = fails(golden, folder, "--do_train", f"--init_checkpoint={trained}")
    assert f"{trained}/labels.txt: the model was trained with the 3 " in line
    assert f"the 2 labels O, B-X ({folder}/train.txt); give" in line
    shutil.copytree(trained, folder / "other")
    (folder / "other/labels.txt").unlink()
    init = f"--init_checkpoint={folder / 'other'}"
    line = fails(golden, folder, "--do_train", init)
    assert "has a head for 3 label(s), the task has 2" in line


@pytest.mark.parametrize("flag", ["--do_train", "--do_eval", "--do_predict"])
@pytest.mark.parametrize("as_file", [True, False])
def test_labels_in_another_order_than_the_models_are_refused(
    golden, folder, trained, flag, as_file
):
    labels = "O,I-X,B-X"
    if as_file:
        (folder / "names").write_text(labels.replace(",", "\n"))
        labels = folder / "names"
    init = f"--init_checkpoint={trained}"
    line = fails(golden, folder, flag, f"--labels={labels}", init)
    assert f"{trained}/labels.txt: the model was trained with" in line
    assert f"O, I-X, B-X (--labels='{labels}')" in line


def test_labels_in_the_current_folder_are_not_a_models(
    golden, folder, trained, monkeypatch
):
    shutil.copytree(trained, folder / "out")
    (folder / "out/labels.txt").rename(folder / "labels.txt")
    monkeypatch.chdir(folder)
    assert "Expected labels.txt" in fails(golden, folder, "--do_eval")


def test_a_pretrained_model_cannot_predict(golden, folder):
    init = golden / "model_base/bert_model.ckpt"
    flags = ("--do_predict", "--labels=O,X", f"--init_checkpoint={init}")
    line = fails(golden, folder, *flags)
    assert f"{init} has no cls/token/output_weights" in line
    assert "train it first (--do_train), or check --output_dir=" in line


@pytest.mark.parametrize(
    ("kept", "flags", "parts"),
    [
        # Another training set must not change what the numbers mean.
        (
            "O\nB-Z\nI-Z\n",
            [],
            ["train.txt, line 2", "O, B-Z, I-Z", "out/labels"],
        ),
        ("O\nB-X\n", [], ["train.txt, line 4", "O, B-X (those of", "'of I-X'"]),
        ("O\nB-X\nI-X\nX\n", [], ["head for 3 label(s), the task has 4"]),
        ("O\nI-X\nB-X\n", ["--labels=O,B-X,I-X"], ["3 labels O, I-X, B-X."]),
        ("O\n\0\n", [], ["labels.txt, line 2", "0x00"]),
        ("O\nB-X\nO\n", [], ["labels.txt: expected labels that differ"]),
    ],
)
def test_labels_of_a_trained_model_are_never_changed(
    golden, folder, trained, kept, flags, parts
):
    shutil.copytree(trained, folder / "out")
    (folder / "out/labels.txt").write_text(kept)
    for part in parts:
        assert part in fails(golden, folder, "--do_train", *flags)


def test_the_command_line_ends_in_one_line(golden, folder):
    (folder / "dev.txt").write_text("the O\nboat B-Y\n")
    line = error_of(
        "run_ner.py",
        *model_flags(golden, folder / "out"),
        f"--data_dir={folder}",
        "--do_train",
        "--do_eval",
    )
    assert "dev.txt, line 2: expected one of the labels O, B-X, I-X" in line
    assert not (folder / "out").exists()
