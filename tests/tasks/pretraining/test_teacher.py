"""run_pretraining.py with --teacher_dir."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import run_pretraining as script
from bert.errors import UserError
from bert.modeling.config import read_config
from bert.tasks.pretraining import teacher, training
from tests.conversion import run_folder
from tests.modeling import checkpoints
from tests.scripts.conftest import command as command
from tests.scripts.conftest import record_file as record_file
from tests.scripts.runner import config_of


def find(config):
    """Returns the teacher that a command names, all checked."""
    sizes = read_config(config.bert_config_file)
    files = teacher.find(config, sizes)
    return files and teacher.make(files, config, sizes)


@pytest.fixture
def folder(golden, tmp_path):
    """A teacher of 2 layers of 24 units; the student has other sizes."""
    folder = tmp_path / "teacher"
    run_folder.write(golden, folder, "pretraining")
    return folder


def edit_json(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("spoil", "args", "message"),
    [
        (shutil.rmtree, [], "which is not there"),
        (
            lambda f: run_folder.without_run_files(f),
            [],
            "Expected bert_config.json in",
        ),
        (None, ["--distill_top_k=392"], "must be at most 391, the word pieces"),
        (
            lambda f: edit_json(f / "bert_config.json", vocab_size=400),
            [],
            "390 word pieces|391 word pieces. Received: one with 400",
        ),
        (
            lambda f: edit_json(
                f / "bert_config.json", max_position_embeddings=20
            ),
            ["--max_seq_length=24"],
            "20",
        ),
        (
            None,
            ["--relation_heads=5"],
            "the teacher's 24 units and the student's 32; take a divisor of 8",
        ),
        (
            None,
            ["--relation_heads=4", "--teacher_layer=3"],
            "--teacher_layer must be at most 2, the layers that",
        ),
        (
            lambda f: edit_json(f / "bert_config.json", encoder_type="textcnn"),
            ["--relation_heads=4"],
            "needs a teacher with queries, keys and values, such as 'bert'. "
            "Received: encoder_type 'textcnn'",
        ),
        (
            lambda f: edit_json(f / "bert_config.json", intermediate_size=41),
            [],
            "does not fit the model: .*intermediate/dense",
        ),
        (
            lambda f: edit_json(f / "bert_config.json", num_hidden_layers=1),
            [],
            "is of a model with more layers",
        ),
    ],
)
def test_who_cannot_teach_is_refused(command, folder, spoil, args, message):
    if spoil:
        spoil(folder)
    config = config_of(
        script, *command, "--do_train", f"--teacher_dir={folder}", *args
    )
    with pytest.raises(UserError, match=message) as caught:
        find(config)
    assert len(str(caught.value)) <= 293


def test_a_teachers_size_is_known(command, folder):
    config = config_of(
        script, *command, "--do_train", f"--teacher_dir={folder}"
    )
    found = find(config)
    weights = checkpoints.tensors(folder)
    assert found.num_weights == sum(
        value.size
        for name, value in weights.items()
        if name != "global_step" and "/adam_" not in name
    )
    feed = training.feed(config, None, found)
    assert feed.num_other_weights == found.num_weights
    assert training.feed(config, None, None).num_other_weights == 0


def test_other_words_are_refused(command, folder, tmp_path):
    sizes = shutil.copy(
        next(f for f in command if "bert_config" in f).partition("=")[2],
        tmp_path / "bert_config.json",
    )
    pieces = (folder / "vocab.txt").read_text().splitlines()
    (tmp_path / "vocab.txt").write_text("\n".join(pieces[::-1]))
    config = config_of(
        script,
        *(*command, "--do_train", f"--teacher_dir={folder}"),
        f"--bert_config_file={sizes}",
    )
    with pytest.raises(UserError, match="other word pieces in"):
        find(config)


def test_a_student_without_queries_is_refused(command, folder, tmp_path):
    sizes = tmp_path / "bert_config.json"
    shutil.copy(folder / "bert_config.json", sizes)
    edit_json(sizes, encoder_type="bilstm")
    config = config_of(
        script,
        *(*command, "--do_train", f"--teacher_dir={folder}"),
        *(f"--bert_config_file={sizes}", "--relation_heads=4"),
    )
    message = "needs a student with queries.*encoder_type 'bilstm'"
    with pytest.raises(UserError, match=message):
        find(config)


@pytest.mark.parametrize(
    ("layers", "layer"), [(1, 1), (12, 12), (13, 11), (24, 21), (48, 42)]
)
def test_large_teachers_teach_of_a_layer_above_the_middle(layers, layer):
    assert teacher.best_layer(layers) == layer


@pytest.mark.parametrize("flag", ["distill_top_k=4", "distill_alpha=0.1"])
def test_flags_of_a_teacher_need_one(command, flag):
    name = flag.partition("=")[0]
    with pytest.raises(UserError, match=f"--{name} needs --teacher_dir"):
        config_of(script, *command, "--do_train", f"--{flag}")


@pytest.mark.slow
def test_a_run_goes_on_bit_for_bit_and_keeps_nothing_of_its_teacher(
    command, folder, tmp_path, caplog
):
    caplog.set_level("INFO")
    flags = [*command, "--do_train", "--random_seed=1"]
    flags += ["--num_train_steps=4", "--save_checkpoints_steps=2"]
    flags += ["--num_warmup_steps=1", "--log_steps=1"]
    out = tmp_path / "out"

    def run(*args):
        script.pretrain(config_of(script, *flags, *args))
        return checkpoints.tensors(out)

    taught = [f"--teacher_dir={folder}", "--distill_top_k=5"]
    whole = run(*taught)
    assert any("distillation_loss" in line for line in caplog.messages)
    kept = json.loads((out / "resume.json").read_text())
    assert kept["teacher"].startswith("sha256:")
    assert kept["distill_top_k"] == 5
    for path in out.glob("model.ckpt-4.*"):
        path.unlink()
    (out / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2"\n')
    again = run(*taught)
    for name, value in whole.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    shutil.rmtree(out)
    plain = run()
    assert plain.keys() == whole.keys()
    assert "teacher" not in json.loads((out / "resume.json").read_text())
    shutil.rmtree(out)
    nothing = run(f"--teacher_dir={folder}", "--distill_alpha=0")
    for name, value in plain.items():
        np.testing.assert_array_equal(nothing[name], value, err_msg=name)


@pytest.mark.slow
def test_relations_alone_go_on_bit_for_bit_and_leave_the_rest_as_it_was(
    command, golden, tmp_path
):
    folder, out = tmp_path / "teacher", tmp_path / "out"
    run_folder.write(golden, folder, "pretraining", max_position_embeddings=64)
    flags = [
        *(*command, "--do_train", "--random_seed=1", "--num_train_steps=4"),
        f"--input_file={golden / 'pretraining_data/default.tfrecord'}",
        *("--max_seq_length=64", "--max_predictions_per_seq=10"),
        *("--save_checkpoints_steps=2", "--num_warmup_steps=1"),
        *("--masking=dynamic", f"--vocab_file={folder / 'vocab.txt'}"),
        *("--pack_sequences", "--gradient_accumulation_steps=2"),
        *("--recompute_activations", "--next_sentence=none"),
        *(f"--teacher_dir={folder}", "--relation_heads=8"),
    ]
    alone = ["--distill_alpha=1", "--distill_top_k=0"]

    def run(*args):
        script.pretrain(config_of(script, *flags, *args))
        return checkpoints.tensors(out)

    whole = run(*alone)
    kept = json.loads((out / "resume.json").read_text())
    assert (kept["relations_alone"], kept["relation_heads"]) == (True, 8)
    first = tf.train.load_checkpoint(str(out / "model.ckpt-0"))
    same = {
        name
        for name, value in whole.items()
        if name.startswith(("bert/", "cls/"))
        and "adam_" not in name
        and np.array_equal(value, first.get_tensor(name))
    }
    assert "cls/predictions/transform/dense/kernel" in same
    assert "bert/encoder/layer_2/output/dense/kernel" in same
    # What is not learned has no moments; all that has some is learned.
    moments = {n.removesuffix("/adam_m") for n in whole if "adam_m" in n}
    assert not same & moments
    assert "bert/encoder/layer_2/attention/self/value/kernel" in moments
    for path in out.glob("model.ckpt-4.*"):
        path.unlink()
    (out / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2"\n')
    again = run(*alone)
    assert again.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    with pytest.raises(UserError, match="another relations_alone"):
        run("--distill_alpha=1")
