from tests.conversion import hf_folder
from tests.scripts.runner import error_of, run

SCRIPT = "convert_checkpoint.py"


def test_one_command_converts_a_folder(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    out = tmp_path / "new/out"
    done = run(SCRIPT, f"--input_dir={folder}", f"--output_dir={out}")
    assert f"Wrote 62 tensors to {out}" in done.stderr
    assert (out / "bert_model.ckpt.index").exists()

    line = error_of(SCRIPT, f"--input_dir={folder}", f"--output_dir={out}")
    assert "pass --overwrite" in line


def test_flags_that_are_missing_are_one_line():
    line = error_of(SCRIPT)
    assert "--input_dir, --output_dir" in line
