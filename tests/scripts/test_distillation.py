"""Scripts that fine-tune with --teacher_dir, from start to end."""

import json
import shutil

import numpy as np
import pytest

from bert import run_classifier as script
from bert.errors import UserError
from bert.files import json_log
from bert.model_folder import weights
from bert.modeling import checkpoint
from bert.tasks import teachers
from tests.conversion import run_folder
from tests.modeling import checkpoints
from tests.scripts.runner import config_of

WORDS = ("lake", "boat", "river")
ROWS = [(f"the {a} and the {b}", a) for a in WORDS for b in WORDS]


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    """Examples, a teacher, and a student's sizes."""
    folder = tmp_path_factory.mktemp("distillation")
    rows = ["text\tlabel", *(f"{text}\t{label}" for text, label in ROWS), ""]
    (folder / "train.tsv").write_text("\n".join(rows))
    (folder / "more.csv").write_text("text\n" + "in the lake\n" * 7)
    run_folder.write(golden, folder / "teacher", "classification")
    (folder / "teacher/labels.txt").write_text("\n".join(WORDS))
    config = run_folder.tiny_config(num_hidden_layers=1, hidden_size=12)
    (folder / "config.json").write_text(config.to_json_string())
    return folder


@pytest.fixture
def classify(golden, folder, tmp_path):
    """Runs run_classifier.py with some more flags, in this process."""

    def run(*args):
        flags = (
            *("--do_train", f"--train_file={folder}/train.tsv"),
            f"--bert_config_file={folder}/config.json",
            f"--vocab_file={golden}/inputs/vocab.txt",
            *("--max_seq_length=12", "--train_batch_size=4"),
            *("--num_train_epochs=2", "--save_checkpoints_steps=3"),
            *("--random_seed=3", f"--output_dir={tmp_path}/out"),
        )
        script.classify(config_of(script, *flags, *args))
        return tmp_path / "out"

    return run


def taught(folder, *args):
    """The flags of a run with a teacher."""
    teacher, more = folder / "teacher", folder / "more.csv"
    return f"--teacher_dir={teacher}", f"--distill_data={more}", *args


@pytest.mark.slow
def test_a_run_with_a_teacher_goes_on_bit_for_bit(
    classify, folder, tmp_path, caplog
):
    caplog.set_level("INFO")
    dev = f"--dev_file={folder}/train.tsv"
    flags = taught(
        folder,
        *(dev, "--do_eval", "--eval_steps=4", "--save_best=eval_loss"),
        *("--gradient_accumulation_steps=2", "--log_steps=1"),
    )
    out = classify(*flags)
    # 9 rows with a label and 7 without: 4 steps an epoch.
    whole = checkpoints.tensors(out)
    assert whole["global_step"] == 8
    (line,) = json_log.read(str(out / "runs.jsonl")).entries
    assert [(d["set"], d["rows"]) for d in line["data"]][-1] == ("distill", 7)
    assert line["flags"]["distill_alpha"] == 0.5
    assert any("distillation_loss" in text for text in caplog.messages)
    assert "  Num examples = 16" in caplog.messages
    assert "eval_accuracy" in (out / "eval_results.txt").read_text()
    for name in ("eval_report.html", "best", teachers.FILE_NAME):
        assert (out / name).exists()
    kept = json.loads((out / "resume.json").read_text())
    assert kept["teacher"].startswith("sha256:")
    assert kept["distill_alpha"] == 0.5

    for path in out.glob("model.ckpt-[68].*"):
        path.unlink()
    (out / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    caplog.clear()
    classify(*flags)
    assert "Resumed from" in caplog.text
    assert "are used again" in caplog.text
    assert "goes on with another" not in caplog.text
    again = checkpoints.tensors(out)
    assert whole.keys() == again.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)
    changed = run_folder.copy(folder / "teacher", tmp_path / "changed")
    run_folder.save(
        changed,
        run_folder.make_model("classification", run_folder.tiny_config(), 1),
        9,
    )
    longer = "--num_train_epochs=2.5"
    classify(*flags, longer, f"--teacher_dir={changed}", "--distill_alpha=0.7")
    (told,) = [m for m in caplog.messages if "goes on with another" in m]
    assert "another teacher, num_train_epochs" in told
    assert "distill_alpha (0.5 before, 0.7 now)" in told
    caplog.clear()
    classify(longer, "--num_train_epochs=5")
    (told,) = [m for m in caplog.messages if "goes on with another" in m]
    assert "another data, teacher," in told


@pytest.mark.slow
def test_a_share_of_nothing_is_the_training_without(classify, folder, tmp_path):
    out = classify()
    plain = shutil.copytree(out, tmp_path / "plain")
    shutil.rmtree(out)
    classify(f"--teacher_dir={folder}/teacher", "--distill_alpha=0")
    same = checkpoints.tensors(out)
    for name, value in checkpoints.tensors(plain).items():
        np.testing.assert_array_equal(same[name], value, err_msg=name)
    for name in ("train.tf_record", "resume.json", "task.json"):
        assert (out / name).read_bytes() == (plain / name).read_bytes()
    assert not (out / teachers.FILE_NAME).exists()
    shutil.rmtree(out)
    classify(*taught(folder))
    names = checkpoint.Reader(weights.find(str(out))).shapes
    assert names == checkpoint.Reader(weights.find(str(plain))).shapes


@pytest.mark.slow
def test_folds_and_a_part_held_out_are_taught(classify, folder):
    out = classify(*taught(folder, "--folds=3", "--do_eval"))
    for number in (1, 2, 3):
        logits = np.load(out / f"fold_{number}" / teachers.FILE_NAME)
        assert logits.shape == (6 + 7, 3)
    with pytest.raises(UserError, match="folds made with another --distill_a"):
        classify(*taught(folder, "--folds=3", "--do_eval", "--distill_alpha=1"))
    shutil.rmtree(out)
    records = f"--records_dir={out}-records"
    classify(*taught(folder, "--dev_fraction=0.3", "--do_eval", records))
    (path,) = out.parent.glob(f"out-records/*/{teachers.FILE_NAME}")
    assert not (out / teachers.FILE_NAME).exists()
    assert len(np.load(path)) < 16


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--distill_data={}/more.csv"], "--distill_data needs --teacher_dir"),
        (["--distill_alpha=0.3"], "--distill_alpha needs --teacher_dir"),
        (
            ["--distill_temperature=2"],
            "--distill_temperature needs --teacher_d",
        ),
        (
            [
                *("--teacher_dir={}/teacher", "--distill_alpha=0"),
                "--distill_data={}/more.csv",
            ],
            "Received: --distill_alpha=0; leave one of them out",
        ),
        (["--teacher_annealing"], "--teacher_annealing needs --teacher_dir"),
        (
            [
                *("--teacher_dir={}/teacher", "--distill_alpha=0.7"),
                "--teacher_annealing",
            ],
            "Received: --distill_alpha=0.7, too; leave one of them out",
        ),
        (["--teacher_dir={}/out#mrpc"], "where training changes it"),
        (["--teacher_dir={}/out"], "where training changes it"),
        (["--teacher_dir={}/out/best"], "where training changes it"),
        (["--teacher_dir={}/nowhere"], "no task.json there"),
        (
            ["--teacher_dir={}/teacher", "--distill_data={}/no.csv"],
            "no.csv",
        ),
        (
            ["--teacher_dir={}/teacher", "--distill_data={}/more.txt"],
            "end in one of .tsv, .csv, .jsonl, as --distill_data. Received",
        ),
        (
            [
                "--teacher_dir={}/teacher",
                "--distill_data={}/pairs.csv",
                "--text_column=text",
            ],
            "column",
        ),
        (
            [
                *("--teacher_dir={}/teacher", "--distill_data={}/more.csv"),
                "--train_file={}/pairs.tsv",
                "--pair_column=other",
            ],
            "other",
        ),
        (
            ["--teacher_dir={}/teacher", "--labels=lake,boat,river,sea"],
            "river, sea. R",
        ),
        (["--teacher_dir=xy://teacher"], "teacher_dir"),
        (
            ["--teacher_dir={}/teacher", "--distill_data=xy://more.csv"],
            "distill_data",
        ),
        (
            ["--teacher_dir={}/teacher", "--distill_data={}/empty.csv"],
            "expected examples|empty",
        ),
    ],
)
def test_bad_input_is_one_line_before_work(
    classify, folder, tmp_path, args, message
):
    (folder / "pairs.csv").write_text("a,b\nthe lake and,the boat in\n")
    (folder / "pairs.tsv").write_text(
        "text\tother\tlabel\nthe\tlake\tlake\nthe\tboat\tboat\n"
        "in\triver\triver\n"
    )
    (folder / "more.txt").write_text("in the lake\n")
    (folder / "empty.csv").write_text("text\n")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with pytest.raises(UserError, match=message) as caught:
        classify(*[arg.format(tmp_path) for arg in args])
    assert len(str(caught.value)) <= 293
    assert not (tmp_path / "out").exists()
