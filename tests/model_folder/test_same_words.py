import pytest

from bert.data.text.tokenization import FullTokenizer
from bert.model_folder import same_words
from bert.model_folder.task_files import Task

WORDS = ["[PAD]", "[unused0]", "[UNK]", "a", "b"]


@pytest.fixture
def model(tmp_path):
    """A folder with a vocabulary, cased."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    task = Task(task="pretraining", do_lower_case=False, max_seq_length=8)
    (folder / "task.json").write_text(task.to_json())
    return folder


def vocabulary(folder, words, end="\n"):
    path = folder / "other.txt"
    path.write_bytes(end.join(words).encode())
    return path


@pytest.mark.parametrize(
    ("words", "is_other"),
    [
        (WORDS, False),
        (["[PAD]", "mine", "[UNK]", "a", "b", "more"], False),
        (["[PAD]", "[unused0]", "[UNK]", "b", "a"], True),
        (WORDS[:-1], True),
    ],
)
def test_words_may_be_new_and_not_others(model, tmp_path, words, is_other):
    path = str(vocabulary(tmp_path, words, end="\r\n"))
    own = str(model / "vocab.txt")
    found = same_words.other_vocab(str(model), path)
    assert found == (own if is_other else None)
    assert same_words.other_vocab(str(tmp_path), path) is None
    # An old vocabulary lacks a word that the model's has.
    if words[1] == "mine":
        (model / "vocab.txt").write_text("\n".join(words))
        old = str(vocabulary(tmp_path, WORDS))
        assert same_words.other_vocab(str(model), old) == own


def test_what_a_folder_says_otherwise_is_a_warning(model, tmp_path, caplog):
    for path in (str(model), f"{model}/bert_model.ckpt"):
        tokenizer = FullTokenizer(model / "vocab.txt", do_lower_case=False)
        same_words.warn(path, tokenizer, do_lower_case=False)
        assert not caplog.text
        other = vocabulary(tmp_path, [*WORDS[:3], "b", "a"])
        tokenizer = FullTokenizer(other, do_lower_case=True)
        same_words.warn(path, tokenizer, do_lower_case=True)
        assert "task.json says that the model was trained with" in caplog.text
        assert "pass --do_lower_case=False if" in caplog.text
        assert f"Pass --vocab_file={model}/vocab.txt if" in caplog.text
        caplog.clear()
    same_words.warn(None, tokenizer, do_lower_case=True)
    (model / "task.json").write_text("of another program")
    assert same_words.casing(str(model)) is None


def test_the_casing_is_warned_of_once(model, caplog):
    words = [f"Word{n}" for n in range(20)]
    path = vocabulary(model, [*WORDS, *words])
    tokenizer = FullTokenizer(path, do_lower_case=True)
    same_words.warn(str(model), tokenizer, do_lower_case=True)
    assert "looks cased" in caplog.text
    assert len(caplog.records) == 1
