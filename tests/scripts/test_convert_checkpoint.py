import json

import pytest

from bert import convert_checkpoint as script
from tests.conversion import hf_folder, run_folder
from tests.scripts.runner import config_of, error_of, run

SCRIPT = "convert_checkpoint.py"


def test_one_command_converts_a_folder(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    out = tmp_path / "new/out"
    done = run(SCRIPT, f"--input_dir={folder}", f"--output_dir={out}")
    assert (
        f"Wrote a model for pretraining, 62 tensors, as original, to {out}"
    ) in done.stderr
    assert (out / "bert_model.ckpt.index").exists()

    line = error_of(SCRIPT, f"--input_dir={folder}", f"--output_dir={out}")
    assert "pass --overwrite" in line


def test_one_command_converts_a_run_with_all_that_flags_say(golden, tmp_path):
    folder = tmp_path / "run"
    run_folder.write(golden, folder, "ner")
    config, vocab = tmp_path / "config.json", tmp_path / "vocab.txt"
    (folder / "bert_config.json").rename(config)
    (folder / "vocab.txt").rename(vocab)
    run(
        SCRIPT,
        f"--input_dir={folder}",
        f"--output_dir={tmp_path / 'out'}",
        "--output_format=huggingface",
        f"--bert_config_file={config}",
        f"--vocab_file={vocab}",
        "--checkpoint=newest",
        "--labels=a,b,c,d",
        "--task=ner",
        "--nodo_lower_case",
    )
    values = json.loads((tmp_path / "out/config.json").read_text())
    assert values["architectures"] == ["BertForTokenClassification"]
    assert list(values["id2label"].values()) == ["a", "b", "c", "d"]
    values = json.loads((tmp_path / "out/tokenizer_config.json").read_text())
    assert values["do_lower_case"] is False


@pytest.mark.parametrize(
    ("task", "architecture"),
    [
        ("ner", "BertForTokenClassification"),
        ("pretraining", "BertForPreTraining"),
    ],
)
def test_a_task_of_several_is_converted(
    golden, tmp_path, caplog, task, architecture
):
    folder, out = tmp_path / "run", tmp_path / "out"
    run_folder.write_several(golden, folder, "ner", "pretraining")
    resume = folder / "tasks/pretraining/resume.json"
    resume.write_text('{"next_sentence": "sop"}')
    flags = f"--input_dir={folder}#{task}", f"--output_dir={out}"
    script.convert(config_of(script, *flags))
    values = json.loads((out / "config.json").read_text())
    assert values["architectures"] == [architecture]
    labels = list(values.get("id2label", {}).values())
    assert labels == [*run_folder.RUNS[task][2]]
    # Its own resume.json says it.
    assert ("--next_sentence=sop" in caplog.text) == (task == "pretraining")


def test_flags_that_are_missing_are_one_line():
    line = error_of(SCRIPT)
    assert "--input_dir, --output_dir" in line


def test_a_model_of_the_wanted_format_is_one_line(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    line = error_of(
        SCRIPT,
        f"--input_dir={folder}",
        f"--output_dir={tmp_path / 'out'}",
        "--output_format=huggingface",
    )
    assert "Expected a checkpoint (bert_model.ckpt.index, …)" in line
    assert not (tmp_path / "out").exists()
