import dataclasses

import pytest

from bert.data.corpus import record_notes
from bert.data.corpus.record_notes import Note
from bert.errors import UserError
from bert.model_folder.task_files import Task
from bert.modeling import BertConfig
from bert.tasks.pretraining import origin
from bert.training.head_check import Start
from tests.data.corpus.test_instance_settings import make_settings
from tests.tasks.pretraining.test_config import parse

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def completed(config, sizes, files=(), start=None):
    return origin.completed(config, sizes, files, start or Start())


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
        found = completed(given, sizes)
        assert found == dataclasses.replace(given, next_sentence="nsp")


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


def test_a_run_that_goes_on_keeps_what_it_knows(tmp_path, caplog):
    sizes = BertConfig(vocab_size=30)
    folder = tmp_path / "out"
    config = parse("--do_train", f"--output_dir={folder}")
    found = completed(config, sizes)
    assert (found.vocab_file, found.do_lower_case) == (None, None)
    assert "Nothing says which vocabulary the records" in caplog.text
    caplog.clear()
    folder.mkdir()
    vocabulary(folder, "few")
    task = Task(task="pretraining", do_lower_case=False, max_seq_length=128)
    (folder / "task.json").write_text(task.to_json())
    found = completed(config, sizes)
    assert found.vocab_file == str(folder / "vocab.txt")
    assert found.do_lower_case is False
    assert not caplog.text


SIZES = BertConfig(vocab_size=30)


@pytest.fixture
def noted(tmp_path):
    """Records with a note: cased, made for sop."""
    path = vocabulary(tmp_path, "a", "b")
    settings = make_settings(next_sentence="sop")
    note = Note.of(str(path), do_lower_case=False, settings=settings)
    records = str(tmp_path / "records")
    record_notes.write(records, note)
    return records


def with_others(noted):
    """Returns records with a note, and others for another second task."""
    note, _ = record_notes.common([noted])
    settings = dataclasses.replace(note.settings, next_sentence="nsp")
    others = dataclasses.replace(note, settings=settings)
    record_notes.write(f"{noted}2", others)
    return [noted, f"{noted}2"]


def test_a_note_says_what_no_flag_does(noted, tmp_path):
    found = completed(parse("--do_train"), SIZES, [noted])
    assert found.vocab_file == str(tmp_path / "vocab.txt")
    assert (found.do_lower_case, found.next_sentence) == (False, "sop")
    # The same flags are right, and the same vocabulary elsewhere.
    other = tmp_path / "other.txt"
    other.write_bytes(b"\r\n".join(t.encode() for t in [*SPECIAL, "a", "b"]))
    given = parse(
        *("--do_train", "--nodo_lower_case", "--next_sentence=sop"),
        f"--vocab_file={other}",
    )
    assert completed(given, SIZES, [noted]) == given


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--do_lower_case", r"=True is not how.*note\.json says False; leave"),
        ("--next_sentence=nsp", r"=nsp is not how.*note\.json says sop"),
        ("--vocab_file={}/other.txt", r"other\.txt is not the vocabulary that"),
        ("--vocab_file={}", "is not the vocabulary that the records were made"),
        ("--vocab_file={}/gone", "is not the vocabulary that the records were"),
    ],
)
def test_a_flag_that_contradicts_the_note_is_one_line(
    noted, tmp_path, flag, message
):
    (tmp_path / "other.txt").write_text("\n".join([*SPECIAL, "b", "a"]))
    config = parse("--do_train", flag.format(tmp_path))
    with pytest.raises(UserError, match=message):
        completed(config, SIZES, [noted])
    # No flag has to be given for what --eval_file contradicts.
    with pytest.raises(UserError, match="; name other records"):
        origin.check(config, [noted])


def test_the_second_task_may_be_left_out_of_any_records(noted):
    config = parse("--do_train", "--next_sentence=none")
    found = completed(config, SIZES, with_others(noted))
    assert found.next_sentence == "none"
    assert not found.has_next_sentence
    with pytest.raises(UserError, match="must have the same next_sentence"):
        completed(parse("--do_train"), SIZES, with_others(noted))


def test_a_vocabulary_that_is_gone_is_a_warning_or_the_runs_own(
    noted, tmp_path, caplog
):
    vocab = tmp_path / "vocab.txt"
    content = vocab.read_text()
    vocab.write_text(content + "c\n")
    config = parse("--do_train", f"--output_dir={tmp_path}/out")
    found = completed(config, SIZES, [noted])
    assert (found.vocab_file, found.do_lower_case) == (None, False)
    assert "which is not there any more, or is another" in caplog.text
    (tmp_path / "out").mkdir()
    (tmp_path / "out/vocab.txt").write_text(content)
    found = completed(config, SIZES, [noted])
    assert found.vocab_file == f"{tmp_path}/out/vocab.txt"
    vocab.unlink()
    vocab.mkdir()
    assert completed(config, SIZES, [noted]).vocab_file == found.vocab_file


def test_the_checkpoint_of_a_use_says_whether_there_is_the_head(noted, caplog):
    class Reader(dict):
        prefix = "/model.ckpt-1"

    headless = Start(Reader({"another": 1}))
    whole = Start(Reader({"cls/seq_relationship/output_weights": 1}))
    use, train = parse("--do_eval"), parse("--do_train")
    found = completed(use, SIZES, with_others(noted), headless)
    assert found.next_sentence == "none"
    assert completed(use, SIZES, [], whole).next_sentence == "nsp"
    caplog.set_level("INFO", logger="absl")
    assert completed(train, SIZES, [noted], whole).next_sentence == "sop"
    assert not caplog.text
    assert completed(train, SIZES, [noted], headless).next_sentence == "sop"
    assert "/model.ckpt-1 has no next-sentence head" in caplog.text
    use = parse("--do_eval", "--next_sentence=sop")
    with pytest.raises(UserError, match=r"Received: /model\.ckpt-1, which has"):
        completed(use, SIZES, [noted], headless)


@pytest.mark.parametrize(
    ("words", "lower", "message"),
    [
        (["a", "b"], False, None),
        (["b", "a"], False, r"begins with, .*model/vocab\.txt. Received: tho"),
        (["a", "b"], True, r"do_lower_case True. Received: records with False"),
    ],
)
def test_records_in_other_words_than_the_checkpoints_are_refused(
    noted, tmp_path, words, lower, message
):
    class Reader(dict):
        prefix = str(tmp_path / "model/bert_model.ckpt")

    folder = tmp_path / "model"
    folder.mkdir()
    vocabulary(folder, *words)
    task = Task(task="pretraining", do_lower_case=lower, max_seq_length=128)
    (folder / "task.json").write_text(task.to_json())
    start = Start(Reader({origin._HEAD: 1}))
    config = parse("--do_train")
    if message is None:
        assert not completed(config, SIZES, [noted], start).do_lower_case
        assert completed(config, SIZES, [], start).do_lower_case is lower
        return
    with pytest.raises(UserError, match=message):
        completed(config, SIZES, [noted], start)
    flags = (f"--vocab_file={tmp_path}/vocab.txt", "--nodo_lower_case")
    with pytest.raises(UserError, match=message):
        completed(parse("--do_train", *flags), SIZES, [], start)
    # The note alone tells.
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(UserError, match=message):
        completed(config, SIZES, [noted], start)
    forced = parse("--do_train", "--force_resume")
    completed(forced, SIZES, [noted], start._replace(is_resumed=True))
