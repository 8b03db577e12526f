import pytest

from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig
from bert.tasks.pretraining.text_of_records import completed
from tests.tasks.pretraining.test_config import parse

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary(folder, *tokens):
    path = folder / "vocab.txt"
    path.write_text("\n".join([*SPECIAL, *tokens]))
    return path


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([f"word{n}" for n in range(20)], True),
        ([f"Word{n}" for n in range(20)], False),
        (["too", "few"], None),
    ],
)
def test_the_vocabulary_tells_the_casing_where_no_flag_does(
    tokens, expected, tmp_path, caplog
):
    path = vocabulary(tmp_path, *tokens)
    config = parse("--do_train", f"--vocab_file={path}")
    assert config.do_lower_case is None
    sizes = BertConfig(vocab_size=30)
    assert completed(config, sizes).do_lower_case is expected
    assert "looks" not in caplog.text
    for flag in ("--do_lower_case", "--nodo_lower_case", "--do_lower=false"):
        given = parse("--do_train", f"--vocab_file={path}", flag)
        assert completed(given, sizes) == given


@pytest.mark.parametrize(
    ("tokens", "size", "message"),
    [
        (["a", "b"], 6, r"vocab\.txt has 7 tokens, but vocab_size in"),
        (["a", "[MASK]x"], 9, None),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_one_line(
    tokens, size, message, tmp_path
):
    path = vocabulary(tmp_path, *tokens)
    config = parse("--do_train", f"--vocab_file={path}")
    if message is None:
        path.write_text(path.read_text().replace("[MASK]", "[mask]"))
        message = r"\[MASK\] not found"
    with pytest.raises(UserError, match=message):
        completed(config, BertConfig(vocab_size=size))
    with pytest.raises(UserError, match="Expected a vocabulary file"):
        completed(
            parse("--do_train", "--vocab_file=/nothing"),
            BertConfig(vocab_size=size),
        )


def test_a_run_that_goes_on_keeps_what_it_knows(tmp_path):
    sizes = BertConfig(vocab_size=30)
    folder = tmp_path / "out"
    config = parse("--do_train", f"--output_dir={folder}")
    assert completed(config, sizes) == config  # nothing is known
    folder.mkdir()
    vocabulary(folder, "few")
    task = Task(task="pretraining", do_lower_case=False, max_seq_length=128)
    (folder / "task.json").write_text(task.to_json())
    found = completed(config, sizes)
    assert found.vocab_file == str(folder / "vocab.txt")
    assert found.do_lower_case is False
