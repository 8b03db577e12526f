"""original → Hugging Face → original: nothing is lost on the way."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from bert.conversion import output_folder
from bert.conversion.huggingface_folder import CONFIG
from bert.modeling import BertConfig, checkpoint
from tests.conversion import run_folder
from tests.conversion.hf_folder import convert, read


def there_and_back(folder, tmp_path, **options):
    """Converts to Hugging Face's format, and that back."""
    there = convert(folder, tmp_path / "hf", **options)
    return there, convert(there, tmp_path / "back")


@pytest.fixture(params=run_folder.RUNS)
def run(request, golden, tmp_path):
    """A run's folder, its name in RUNS, and its model."""
    folder = tmp_path / "run"
    model = run_folder.write(golden, folder, request.param)
    return folder, request.param, model


def test_every_weight_comes_back_bit_by_bit(run, tmp_path):
    folder, name, model = run
    _, back = there_and_back(folder, tmp_path)
    expected = run_folder.weights_of(model)
    if name in ("ner", "squad"):  # Hugging Face has no pooler for them
        expected = {k: v for k, v in expected.items() if "pooler" not in k}
    found = read(back)
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def test_a_model_comes_back_as_a_model_that_is_loaded_whole(run, tmp_path):
    folder, name, _ = run
    _, back = there_and_back(folder, tmp_path)
    config = BertConfig.from_json_file(str(back / "bert_config.json"))
    model = run_folder.make_model(name, config)
    report = checkpoint.load_weights(model, str(back))
    assert report.unused == ()
    assert all("pooler" in weight for weight in report.fresh)


def test_the_task_labels_and_files_come_back(run, tmp_path):
    folder, name, _ = run
    there, back = there_and_back(folder, tmp_path)
    task, kind, labels = run_folder.RUNS[name]
    found = json.loads((back / "task.json").read_text())
    assert found["task"] == task
    assert found.get("kind") == kind
    assert found["do_lower_case"] is True
    if labels:
        lines = (back / "labels.txt").read_text().splitlines()
        assert lines == list(labels)
    assert (back / "labels.txt").exists() == bool(labels)
    for file in ("vocab.txt", "bert_config.json"):
        assert (back / file).read_bytes() == (folder / file).read_bytes()
    config = json.loads((there / "config.json").read_text())
    assert config["architectures"] == [run_folder.ARCHITECTURES[name]]


def test_the_format_is_told_to_be_pytorchs(run, tmp_path):
    there = convert(run[0], tmp_path / "hf")
    with safe_open(there / "model.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt"}


def test_config_json_says_what_a_multi_label_model_is(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "multi_label")
    out = convert(tmp_path / "run", tmp_path / "hf")
    config = json.loads((out / "config.json").read_text())
    assert config["problem_type"] == "multi_label_classification"
    assert config["id2label"] == {"0": "red", "1": "light blue"}
    assert config["label2id"] == {"red": 0, "light blue": 1}
    assert config["classifier_dropout"] == 0.1
    assert config["layer_norm_eps"] == 1e-12
    tokens = (golden / "inputs/vocab.txt").read_text().split("\n")
    assert config["pad_token_id"] == tokens.index("[PAD]")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("gelu", "gelu_pytorch_tanh"),
        ("gelu_erf", "gelu"),
        ("relu", "relu"),
        ("tanh", "tanh"),
        ("linear", "linear"),
    ],
)
def test_activations_keep_their_meaning_both_ways(
    golden, tmp_path, ours, theirs
):
    run_folder.write(golden, tmp_path / "run", "squad", hidden_act=ours)
    there, back = there_and_back(tmp_path / "run", tmp_path)
    config = json.loads((there / "config.json").read_text())
    assert config["hidden_act"] == theirs
    config = BertConfig.from_json_file(str(back / "bert_config.json"))
    assert config.hidden_act == ours


def test_keys_of_published_configurations_are_carried_along(
    golden, tmp_path, caplog
):
    extra = {"directionality": "bidi", "pooler_type": "first_token_transform"}
    foreign = {"auto_map": {"AutoModel": "evil.py"}, "notes": "mine"}
    run_folder.write(golden, tmp_path / "run", "squad", **extra, **foreign)
    there, back = there_and_back(tmp_path / "run", tmp_path)
    config = json.loads((there / "config.json").read_text())
    assert extra.items() <= config.items()
    assert not config.keys() & foreign.keys()
    assert "not converted: auto_map, notes" in caplog.text
    config = json.loads((back / "bert_config.json").read_text())
    assert extra.items() <= config.items()


def test_a_new_file_may_be_read_by_those_who_may_read_others(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    out = convert(tmp_path / "run", tmp_path / "hf")
    modes = {path.stat().st_mode for path in out.iterdir()}
    assert len(modes) == 1


def test_hugging_faces_folder_is_replaced_with_overwrite_only(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    out = convert(tmp_path / "run", tmp_path / "hf")
    (tmp_path / "run/vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n[PAD]\n")
    with pytest.raises(ValueError, match=r"config.json.*--overwrite"):
        convert(tmp_path / "run", out)
    convert(tmp_path / "run", out, overwrite=True)
    assert (out / "vocab.txt").read_text().count("\n") == 4
    assert not any(output_folder._TEMPORARY in p.name for p in out.iterdir())


@pytest.mark.parametrize("name", ["tokenizer.json", "special_tokens_map.json"])
def test_files_that_transformers_would_read_first_are_refused(
    golden, tmp_path, name
):
    run_folder.write(golden, tmp_path / "run", "squad")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / name).write_text("{}")
    with pytest.raises(ValueError, match=f"has {name}, which belongs to ano"):
        convert(tmp_path / "run", tmp_path / "hf", overwrite=True)


def test_what_answers_are_counted_in_comes_back(golden, tmp_path):
    run_folder.write(golden, tmp_path / "run", "squad")
    path = tmp_path / "run/task.json"
    assert "answer_offsets" not in json.loads(
        (convert(tmp_path / "run", tmp_path / "words") / CONFIG).read_text()
    )
    task = json.loads(path.read_text())
    task["options"]["answer_offsets"] = "characters"
    path.write_text(json.dumps(task))
    out = convert(tmp_path / "run", tmp_path / "hf")
    config = json.loads((out / CONFIG).read_text())
    assert config["answer_offsets"] == "characters"
    back = convert(out, tmp_path / "back") / "task.json"
    options = json.loads(back.read_text())["options"]
    assert options["answer_offsets"] == "characters"
    (out / CONFIG).write_text(json.dumps({**config, "answer_offsets": "x"}))
    with pytest.raises(
        ValueError, match=r"words or characters\. Received: 'x'"
    ):
        convert(out, tmp_path / "other")
