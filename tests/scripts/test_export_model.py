import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert import export_model as script
from bert.errors import UserError
from bert.model_folder import locate, task_files
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig, checkpoint
from bert.modeling.heads import PretrainingModel, TokenModel
from bert.serving import export, export_place
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "export_model.py"


@pytest.fixture
def model(golden, tmp_path):
    """The folder of a published model."""
    folder = shutil.copytree(golden / "model_base", tmp_path / "model")
    shutil.copy(golden / "inputs/vocab.txt", folder)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def command(model, out, *args):
    return [
        f"--model_dir={model}",
        f"--export_dir={out}",
        "--noraw_strings",
        *args,
    ]


def export_it(model, out, *args):
    """Does what the script does with these flags, in this process."""
    script.export_model(config_of(script, *command(model, out, *args)))


def inputs_of(golden, cut=None):
    arrays = np.load(golden / "model_base/inputs.npz")
    return {
        name: tf.constant(arrays[name][:, :cut], tf.int32)
        for name in ("input_ids", "input_mask", "segment_ids")
    }


def serve(folder, inputs):
    return tf.saved_model.load(str(folder)).signatures["serving_default"](
        **inputs
    )


def keep(folder, task, golden, **kwargs):
    """Writes what a training run keeps."""
    values = {"do_lower_case": True, "max_seq_length": 24, **kwargs}
    task_files.write(
        str(folder),
        Task(task=task, **values),
        str(golden / "model_base/bert_config.json"),
        str(golden / "inputs/vocab.txt"),
    )


def test_an_encoder_is_what_a_bare_checkpoint_gives(golden, model, out):
    run(SCRIPT, *command(model, out, "--do_lower_case"))
    expected = np.load(golden / "model_base/outputs.npz")
    outputs = serve(out, inputs_of(golden))
    assert set(outputs) == {"sequence_output", "pooled_output"}
    for name, value in outputs.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=1e-5)
    assert locate.task(str(out / "assets")) == Task(
        task="features", do_lower_case=True, max_seq_length=64
    )
    assert {path.name for path in out.iterdir()} == {
        "assets",
        "fingerprint.pb",
        "saved_model.pb",
        "variables",
    }


def test_an_encoder_can_be_trained_with_dropout(golden, model, out):
    config = json.loads((model / "bert_config.json").read_text())
    config["hidden_dropout_prob"] = 0.5
    (model / "bert_config.json").write_text(json.dumps(config))
    export_it(model, out, "--do_lower_case")
    saved = tf.saved_model.load(str(out))
    ids = list(inputs_of(golden).values())

    def pooled(training, seed):
        seed = tf.constant([0, seed])
        outputs = saved.encode(*ids, training=training, seed=seed)
        return outputs["pooled_output"]

    assert np.array_equal(pooled(False, 1), pooled(False, 2))
    assert np.array_equal(pooled(True, 1), pooled(True, 1))
    assert not np.allclose(pooled(True, 1), pooled(True, 2), atol=1e-2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(pooled(True, 1))
    gradients = tape.gradient(loss, list(saved.trainable_variables))
    assert len(gradients) == len(saved.weights) == 55
    assert not any(gradient is None for gradient in gradients)
    saved.weights["bert/pooler/dense/bias"].assign(tf.ones([32]) * 100)
    assert np.all(pooled(False, 1) == 1)


def test_masked_lm_gives_the_likeliest_words(golden, model, out):
    args = ["--task=pretraining", "--top_k=3", "--do_lower_case"]
    export_it(model, out, *args)
    arrays = np.load(golden / "model_base/inputs.npz")
    outputs = serve(out, inputs_of(golden))
    positions = arrays["masked_lm_positions"]
    found = {
        name: np.take_along_axis(
            outputs[name].numpy(), positions[:, :, None], axis=1
        ).reshape(-1, 3)
        for name in ("top_k_ids", "top_k_probabilities")
    }
    model = PretrainingModel(
        BertConfig.from_json_file(golden / "model_base/bert_config.json")
    )
    checkpoint.load_weights(model, str(golden / "model_base"))
    batch = {name: tf.constant(arrays[name]) for name in arrays}
    logits = model(batch)
    words = tf.nn.softmax(logits["masked_lm_logits"]).numpy()
    best = np.argsort(-words, axis=1)[:, :3]
    assert found["top_k_ids"].dtype == np.int32
    assert np.array_equal(found["top_k_ids"], best)
    np.testing.assert_allclose(
        found["top_k_probabilities"],
        np.take_along_axis(words, best, axis=1),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        outputs["next_sentence_probabilities"],
        tf.nn.softmax(logits["next_sentence_logits"]),
        atol=1e-6,
    )


def test_a_tagger_knows_its_labels_and_no_padding(golden, tmp_path, out):
    config = BertConfig.from_json_file(golden / "model_base/bert_config.json")
    tagger = TokenModel(config, 3, init_seed=1)
    folder = tmp_path / "ner"
    folder.mkdir()
    checkpoint.write_files(
        str(folder / "model.ckpt-7"), checkpoint.named_variables(tagger)
    )
    keep(folder, "ner", golden)
    (folder / "labels.txt").write_text("O\nB\nI\n")
    export_it(folder, out)
    assert (out / "assets/labels.txt").read_text() == "O\nB\nI\n"
    inputs = inputs_of(golden)
    outputs = serve(out, inputs)
    np.testing.assert_allclose(
        outputs["logits"], tagger(inputs)["logits"], atol=1e-6
    )
    np.testing.assert_allclose(
        outputs["probabilities"], tf.nn.softmax(outputs["logits"]), atol=1e-6
    )
    longer = {k: tf.pad(v[1:], [[0, 0], [0, 9]]) for k, v in inputs.items()}
    cut = serve(out, longer)["logits"][:, :24]
    is_token = inputs["input_mask"].numpy()[1:] == 1
    np.testing.assert_allclose(
        cut.numpy()[is_token],
        outputs["logits"].numpy()[1:][is_token],
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("kind", "head", "function"),
    [
        ("multi_label", "multi_label", tf.sigmoid),
        ("regression", "regression", tf.identity),
    ],
)
def test_other_kinds_of_classifiers(
    golden, tmp_path, out, kind, head, function
):
    reader = checkpoint.Reader(str(golden / "train_classifier/model.ckpt-12"))
    tensors = {
        name: reader.read(name)
        for name in reader.shapes
        if name.startswith("bert/") and "adam" not in name
    }
    rows = 1 if kind == "regression" else 3
    for name in ("output_weights", "output_bias"):
        tensors[f"cls/{head}/{name}"] = reader.read(name)[:rows]
    folder = tmp_path / kind
    folder.mkdir()
    checkpoint.write_files(str(folder / "model.ckpt-1"), tensors)
    keep(folder, "classification", golden, kind=kind)
    if kind == "multi_label":
        (folder / "labels.txt").write_text("a\nb\nc\n")
    export_it(folder, out)
    outputs = serve(out, inputs_of(golden))
    name = "scores" if kind == "regression" else "probabilities"
    assert set(outputs) == {name, "logits"}
    assert outputs[name].shape == [4, rows]
    np.testing.assert_allclose(
        outputs[name], function(outputs["logits"]), atol=1e-6
    )


def copy_classifier(golden, folder, step):
    folder.mkdir(parents=True, exist_ok=True)
    for path in (golden / "train_classifier").glob(f"model.ckpt-{step}.*"):
        shutil.copy(path, folder)


@pytest.fixture
def run_dir(golden, tmp_path):
    """The output_dir of a training with a best checkpoint."""
    folder = tmp_path / "run"
    copy_classifier(golden, folder / "best", 6)
    copy_classifier(golden, folder, 12)
    keep(folder, "classification", golden, kind="classification")
    (folder / "labels.txt").write_text("a\nb\nc\n")
    return folder


@pytest.mark.parametrize(
    ("args", "step"),
    [
        ([], 6),
        (["--checkpoint=best"], 6),
        (["--checkpoint=newest"], 12),
        (["--checkpoint={}/model.ckpt-12"], 12),
    ],
)
def test_the_checkpoint_that_is_asked_for_is_taken(
    golden, run_dir, out, args, step
):
    export_it(run_dir, out, *[arg.format(run_dir) for arg in args])
    saved = tf.saved_model.load(str(out))
    reader = checkpoint.Reader(
        str(golden / f"train_classifier/model.ckpt-{step}")
    )
    for name in ("output_weights", "bert/pooler/dense/kernel"):
        assert np.array_equal(saved.weights[name], reader.read(name))


def test_best_is_a_model_of_its_own(golden, run_dir, out):
    export_it(run_dir / "best", out)
    assert (out / "assets/labels.txt").read_text() == "a\nb\nc\n"


def test_a_model_of_the_originals_is_told_by_its_head(golden, tmp_path, out):
    folder = tmp_path / "theirs"
    copy_classifier(golden, folder, 12)
    for file in ("inputs/vocab.txt", "model_base/bert_config.json"):
        shutil.copy(golden / file, folder)
    with pytest.raises(UserError, match=r"labels\.txt.*\(--labels=a,b,c\)"):
        export_it(folder, out, "--do_lower_case")
    export_it(folder, out, "--do_lower_case", "--labels=x,y,z")
    assert set(serve(out, inputs_of(golden))) == {"probabilities", "logits"}
    assert (out / "assets/labels.txt").read_text() == "x\ny\nz\n"


def test_a_checkpoint_without_a_pooler_lacks_its_output(golden, model, out):
    reader = checkpoint.Reader(str(model))
    tensors = {
        name: reader.read(name)
        for name in reader.shapes
        if "pooler" not in name and "seq_relationship" not in name
    }
    for path in model.glob("bert_model.ckpt.*"):
        path.unlink()
    checkpoint.write_files(str(model / "bert_model.ckpt"), tensors)
    export_it(model, out, "--do_lower_case")
    assert set(serve(out, inputs_of(golden))) == {"sequence_output"}
    args = ["--task=pretraining", "--do_lower_case", "--overwrite"]
    export_it(model, out, *args)
    assert set(serve(out, inputs_of(golden))) == {
        "top_k_ids",
        "top_k_probabilities",
    }


def test_an_export_is_replaced_only_if_asked(golden, model, run_dir, out):
    out.mkdir()  # an empty folder is as good as none
    export_it(model, out, "--do_lower_case")
    with pytest.raises(UserError, match=r"holds an export .*\(--overwrite\)"):
        export_it(run_dir, out)
    assert "pooled_output" in serve(out, inputs_of(golden))
    export_it(run_dir, out, "--overwrite")
    assert "probabilities" in serve(out, inputs_of(golden))


@pytest.mark.parametrize(
    "name",
    [
        "mine.txt",
        "assets/thesis.doc",
        "variables/data",
        "raw_strings/thesis.doc",
        "raw_strings/assets/more/thesis.doc",
    ],
)
def test_a_users_own_file_is_never_replaced(run_dir, out, name):
    write_like_an_export(out)
    write_like_an_export(out / "raw_strings")
    export_place.check_export_dir(str(out), overwrite=True)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine")
    with pytest.raises(UserError, match="a folder with ") as caught:
        export_it(run_dir, out, "--overwrite")
    assert "\n" not in str(caught.value)
    assert (out / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["saved_model.pb", "assets/task.json"])
def test_what_is_no_export_is_not_replaced(run_dir, out, name):
    write_like_an_export(out)
    (out / name).unlink()
    with pytest.raises(UserError, match=f"a folder without {name}"):
        export_it(run_dir, out, "--overwrite")
    assert (out / "variables/variables.index").exists()


def write_like_an_export(folder):
    for name in (
        "saved_model.pb",
        "fingerprint.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
        "assets/task.json",
        "assets/vocab.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_an_export_is_not_exported_again(model, tmp_path):
    write_like_an_export(tmp_path / "export")
    with pytest.raises(UserError, match="which is an export already"):
        export_it(tmp_path / "export", tmp_path / "out")


def test_a_place_that_cannot_be_written_is_named_first(model, out):
    name = "x" * 250  # with what a temporary name adds, too long
    with pytest.raises(UserError, match=r"--export_dir=.*cannot be made"):
        export_it(model, out.parent / name)
    with pytest.raises(UserError, match="--export_dir=/proc/out cannot be ma"):
        export_it(model, "/proc/out")


def test_an_export_that_a_kill_has_hidden_comes_back(run_dir, out):
    write_like_an_export(out)
    out.rename(out.parent / f".old-bert-{out.name}")
    with pytest.raises(UserError, match="holds an export already"):
        export_it(run_dir, out)
    assert (out / "saved_model.pb").exists()


def test_a_failed_export_leaves_what_was_there(
    golden, model, run_dir, out, monkeypatch
):
    export_it(model, out, "--do_lower_case")

    def fail(root, folder, **kwargs):
        (tf.io.gfile.makedirs(folder + "/variables"))
        raise OSError("no space")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="no space"):
        export_it(run_dir, out, "--overwrite")
    assert "pooled_output" in serve(out, inputs_of(golden))
    with pytest.raises(OSError, match="no space"):
        export_it(run_dir, out.parent / "new")
    assert {path.name for path in out.parent.iterdir()} == {
        "model",
        "out",
        "run",
    }


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model_dir={}/nowhere"], "nowhere, which is not there"),
        (["--model_dir={}/model/vocab.txt"], r"vocab\.txt, a file"),
        (["--model_dir={}"], "the folder .* has no .index file"),
        ([], r"Expected whether the model's text.*no such file; say"),
        (["--checkpoint=best"], "Expected a best checkpoint"),
        (["--checkpoint={}/x.ckpt"], "No checkpoint found"),
        (["--do_lower_case", "--task=squad"], "needs .* cls/squad/output_w"),
        (["--do_lower_case", "--task=classification"], "with output_weights"),
        (["--do_lower_case", "--max_seq_length=65"], "sequence length 65"),
        (["--bert_config_file={}/x.json"], r"Cannot read .*x\.json"),
        (
            ["--do_lower_case", "--vocab_file={}/words.txt"],
            r"words\.txt is not the vocabulary that the model was",
        ),
        (["--do_lower_case", "--export_dir={}/words.txt"], "Received: a file"),
        (["--do_lower_case", "--export_dir={}/model"], "a folder with bert_"),
        (
            ["--do_lower_case", "--export_dir={}/words.txt/out"],
            "no folder that can be written to",
        ),
        (
            ["--do_lower_case", "--task=pretraining", "--top_k=392"],
            "--top_k must be at most 391",
        ),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path, model, out, args, message
):
    (tmp_path / "words.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=message) as caught:
        export_it(model, out, *[arg.format(tmp_path) for arg in args])
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["vocab.txt", "bert_config.json"])
def test_missing_files_are_named(model, out, name):
    (model / name).unlink()
    with pytest.raises(UserError, match=rf"Expected {name} in .*\(--"):
        export_it(model, out, "--do_lower_case")


def test_labels_of_another_number_are_refused(run_dir, out):
    (run_dir / "labels.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match=r"has a head for 3 labels.*2 \(a, b\)"):
        export_it(run_dir, out)


def test_a_larger_vocabulary_than_the_models_is_refused(model, out):
    with (model / "vocab.txt").open("a") as file:
        file.write("\nmore" * 9)
    with pytest.raises(UserError, match=r"has 4.. tokens, but vocab_size"):
        export_it(model, out, "--do_lower_case")


def test_a_missing_tensorflow_text_is_one_line(model, out, monkeypatch):
    monkeypatch.setattr(
        export, "_why_no_tensorflow_text", lambda: "no tensorflow-text"
    )
    with pytest.raises(UserError, match=r"tensorflow-text; .*--noraw_strings"):
        export_it(model, out, "--do_lower_case", "--raw_strings")
    assert not out.exists()


def test_the_script_ends_in_one_line(model, out):
    line = error_of(SCRIPT, *command(model, out))
    assert "--do_lower_case=True for an uncased model" in line
