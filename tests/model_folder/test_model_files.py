import json
import logging
import shutil

import pytest

from bert.errors import UserError
from bert.model_folder import model_files, resume_file, task_files
from bert.model_folder.given import Given
from bert.tasks import spec
from tests.conversion import run_folder


@pytest.fixture(scope="module")
def made(golden, tmp_path_factory):
    """Makes a run, once; nobody writes to it."""
    found = {}

    def make(name):
        if name not in found:
            found[name] = tmp_path_factory.mktemp(name)
            run_folder.write(golden, found[name], name)
        return found[name]

    return make


@pytest.fixture
def copy(made, tmp_path):
    """Copies a run."""
    return lambda name: shutil.copytree(made(name), tmp_path / name)


@pytest.mark.parametrize("name", run_folder.RUNS)
def test_a_run_says_all_of_its_model(made, name):
    folder = made(name)
    found = model_files.find(str(folder))
    task, kind, labels = run_folder.RUNS[name]
    assert (found.task.task, found.task.kind) == (task, kind)
    assert found.task.max_seq_length == 32
    assert found.labels == labels
    assert found.checkpoint == str(folder / "model.ckpt-7")
    assert found.bert_config_file == str(folder / "bert_config.json")
    assert found.vocab_file == str(folder / "vocab.txt")


@pytest.mark.parametrize(
    "name", [name for name in run_folder.RUNS if name != "multiple_choice"]
)
def test_without_task_json_the_head_tells_the_task(copy, name, caplog):
    caplog.set_level(logging.INFO, logger="absl")
    folder = copy(name)
    (folder / "task.json").unlink()
    found = model_files.find(str(folder), Given(do_lower_case=False))
    task, kind, _ = run_folder.RUNS[name]
    # Nothing tells a pre-trained model from an encoder but the user.
    task = "features" if name == "pretraining" else task
    row = spec.find(task, kind)
    assert found.task.spec == row
    assert found.task.options == row.options
    assert found.task.max_seq_length == min(row.max_seq_length, 48)
    assert f"has no task.json: its weights are of {task}." in caplog.text


def test_without_task_json_a_score_is_not_taken_for_one_of_choices(copy):
    """Its head is named as a classifier's; --task says what it is."""
    folder = copy("multiple_choice")
    (folder / "task.json").unlink()
    with pytest.raises(UserError, match=r"Expected labels\.txt"):
        model_files.find(str(folder), Given(do_lower_case=True))
    given = Given(do_lower_case=True, task="multiple_choice")
    found = model_files.find(str(folder), given)
    assert found.task.spec == spec.find("multiple_choice")


def test_what_is_given_wins(made, tmp_path):
    given = Given(task="features", max_seq_length=9, do_lower_case=False)
    found = model_files.find(str(made("squad")), given)
    assert found.task.to_json() == (
        '{\n  "do_lower_case": false,\n  "max_seq_length": 9,\n'
        '  "task": "features"\n}\n'
    )
    given = Given(labels="x,y,z,w", task="ner")
    with pytest.raises(UserError, match="the model was trained with the 4"):
        model_files.find(str(made("ner")), given)


def test_an_option_that_task_json_lacks_has_its_default(copy):
    folder = copy("squad")
    path = folder / "task.json"
    values = json.loads(path.read_text())
    kept = dict(values["options"])
    del values["options"]["doc_stride"]
    path.write_text(json.dumps(values))
    found = model_files.find(str(folder)).task
    assert found.options == {**kept, "doc_stride": 128}
    del values["options"]
    path.write_text(json.dumps(values))
    found = model_files.find(str(folder)).task
    assert found.options == spec.find("squad").options


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("ner", {"task": "squad"}, r"squad needs a checkpoint with cls/squad/"),
        ("ner", {"task": "classification"}, "needs a checkpoint with output_w"),
        ("ner", {"task": "pretraining"}, "weights; name another checkpoint"),
        ("ner", {"max_seq_length": 49}, "sequence length 49"),
        (
            "ner",
            {"max_seq_length": 2},
            r"cannot be used for ner: max_seq_length",
        ),
    ],
)
def test_what_the_weights_are_not_is_refused(made, name, given, message):
    with pytest.raises(UserError, match=message) as caught:
        model_files.find(str(made(name)), Given(**given))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "bert_config.json",
            r"Expected bert_config\.json in .*--bert_config_f",
        ),
        ("vocab.txt", r"Expected vocab\.txt in .*--vocab_file"),
        ("labels.txt", r"Expected labels\.txt, which .*--labels=a,b,c"),
        (
            "task.json",
            r"lower-cased, which task\.json .* no such file; say --d",
        ),
    ],
)
def test_a_missing_file_is_named(copy, name, message):
    folder = copy("ner")
    (folder / name).unlink()
    with pytest.raises(UserError, match=message):
        model_files.find(str(folder))


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for name, found in (("file", "a file"), ("no", "which is not there")):
        with pytest.raises(UserError, match=f"Received: .*{name}, {found}"):
            model_files.find(str(tmp_path / name))


def test_another_vocabulary_is_refused(made, tmp_path):
    folder = made("ner")
    other = tmp_path / "other.txt"
    other.write_text("[UNK]\n")
    with pytest.raises(UserError, match="is not the vocabulary that the model"):
        model_files.find(str(folder), Given(vocab_file=str(other)))
    words = (folder / "vocab.txt").read_bytes()
    other.write_bytes(words.replace(b"\n", b"\r\n"))
    given = Given(vocab_file=str(other))
    assert model_files.find(str(folder), given).vocab_file == str(other)


def test_a_vocabulary_that_was_changed_since_is_refused(copy):
    folder = copy("ner")
    words = folder / "vocab.txt"
    before = resume_file.meaning(
        task_files.read(str(folder / "task.json")),
        str(folder / "bert_config.json"),
        str(words),
    )
    resume_file.go_on(str(folder), before, {})
    assert model_files.find(str(folder)).vocab_file == str(words)
    first, *others = words.read_text().splitlines()
    words.write_text("\n".join([*others, first]) + "\n")
    with pytest.raises(UserError, match=r"vocab\.txt, which was changed since"):
        model_files.find(str(folder))
    insists = Given(vocab_file=str(words))
    assert model_files.find(str(folder), insists).vocab_file == str(words)
    # Training tells of a damaged one; answers do not need it.
    (folder / "resume.json").write_text("{")
    assert model_files.find(str(folder)).vocab_file == str(words)
