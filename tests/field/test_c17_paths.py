"""Issue 15, C 17: full disks, other schemes, and folders that stay whole."""

import os
import subprocess
import sys

import pytest
from safetensors import SafetensorError

from bert import run_classifier, run_pretraining
from bert.conversion import huggingface_folder
from bert.errors import UserError
from bert.files import atomic_files
from bert.serving import export
from tests.conversion import run_folder
from tests.conversion.hf_folder import convert
from tests.scripts.runner import ROOT, config_of, model_flags


def training_flags(golden, out):
    return [
        *model_flags(golden, out),
        "--task_name=MNLI",
        f"--data_dir={golden / 'inputs/mnli'}",
        "--do_train",
    ]


def test_a_full_disk_in_a_conversion_names_the_folder(
    golden, tmp_path, monkeypatch
):
    run_folder.write(golden, tmp_path / "run", "classification")

    def fail(*args, **kwargs):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(huggingface_folder, "save_file", fail)
    out = tmp_path / "new" / "out"
    with pytest.raises(UserError, match=f"Cannot write {out}/model.safetens"):
        convert(tmp_path / "run", out)
    assert os.listdir(tmp_path) == ["run"]


def test_a_full_disk_behind_standard_output_is_named():
    code = (
        "import sys; from bert.cli import error_guard\n"
        "from bert.serving import line_service\n"
        "sys.exit(error_guard.exit_code("
        "lambda: line_service.write(sys.stdout.buffer, 'x')))\n"
    )
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "error: standard output: No space left on device" in done.stderr


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("data_dir", "s3://bucket/mnli"),
        ("init_checkpoint", "http://x.org/bert_model.ckpt"),
        ("vocab_file", "azfs://x/vocab.txt"),
        ("export_dir", "s3://bucket/export"),
    ],
)
def test_a_scheme_that_is_not_known_names_flag_and_schemes(
    golden, tmp_path, flag, value
):
    given = [*training_flags(golden, tmp_path / "out"), f"--{flag}={value}"]
    message = f"--{flag} must be a local path, or begin with one of .*gs://"
    with pytest.raises(UserError, match=f"{message}.*Received: {value};"):
        config_of(run_classifier, *given)


def test_one_of_several_paths_may_have_it(golden, tmp_path):
    with pytest.raises(UserError, match="Received: s3://b/x;"):
        config_of(
            run_pretraining,
            f"--bert_config_file={golden / 'model_base/bert_config.json'}",
            f"--output_dir={tmp_path / 'out'}",
            "--input_file=a,gs://b/x,s3://b/x",
            "--do_train",
        )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/proc/export", "cannot be made"),
        ("/proc", "it is a mount point"),
        ("{}/file/export", "no folder that can be written to"),
        ("{}/loop", "a circle of links"),
        ("{}/out/best", "where the run writes its own best"),
        ("{}/out/eval.tf_record", "its own eval.tf_record"),
        ("{}/out/task.json", "its own task.json"),
    ],
)
def test_an_export_that_has_no_place_fails_before_training(
    golden, tmp_path, place, message
):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    config = config_of(
        run_classifier,
        *training_flags(golden, tmp_path / "out"),
        "--do_eval",
        "--do_export",
        f"--export_dir={place.format(tmp_path)}",
    )
    with pytest.raises(UserError, match=message):
        run_classifier.classify(config)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("phase", ["--do_train", "--do_eval"])
def test_a_refused_run_leaves_no_empty_folder(golden, tmp_path, phase):
    config = config_of(
        run_pretraining,
        f"--bert_config_file={golden / 'model_base/bert_config.json'}",
        f"--output_dir={tmp_path / 'above/out'}",
        f"--input_file={golden / 'pretraining_data/default.tfrecord'}",
        f"--init_checkpoint={golden / 'model_wide/bert_model.ckpt'}",
        "--max_seq_length=64",
        "--max_predictions_per_seq=10",
        phase,
    )
    with pytest.raises(UserError, match="in the checkpoint and"):
        run_pretraining.pretrain(config)
    assert os.listdir(tmp_path) == []


class Killed(BaseException):
    """Nothing is done any more."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("command", ["convert_checkpoint", "export_model"])
def test_a_folder_is_the_old_or_the_new_one_at_any_moment(
    golden, tmp_path, monkeypatch, moment, command
):
    run_folder.write(golden, tmp_path / "run", "classification")
    out = tmp_path / "out"

    def make(**options):
        if command == "convert_checkpoint":
            return convert(tmp_path / "run", out, **options)
        source = export.model_files.find(str(tmp_path / "run"))
        return export.export(source, str(out), raw_strings=False, **options)

    def listed():
        # Less what a killed process leaves, and the next one removes.
        return [n for n in sorted(os.listdir(out)) if n[:9] != ".tmp-bert"]

    make()
    names = listed()
    before = os.stat(out / names[0]).st_ino
    exchange = atomic_files._exchange

    def kill(*paths):
        assert listed() == names
        if moment == "after":
            assert exchange(*paths)
        raise Killed

    monkeypatch.setattr(atomic_files, "_exchange", kill)
    with pytest.raises(Killed):
        make(overwrite=True)
    assert listed() == names
    is_old = os.stat(out / names[0]).st_ino == before
    assert is_old == (moment == "before")
