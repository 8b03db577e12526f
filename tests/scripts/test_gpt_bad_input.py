"""What OpenAI's GPT cannot do is one line, before any work."""

import json

import pytest

from bert import convert_checkpoint, run_classifier, run_squad
from bert.errors import UserError
from bert.model_folder.given import Given
from bert.serving.masked_words import MaskedWords
from bert.tasks import finetune
from bert.tasks.squad.finetuning import Squad
from bert.tools import extend_vocabulary, make_student
from tests.conversion import gpt_folder
from tests.conversion.gpt_folder import VOCAB
from tests.conversion.gpt_folder import words as words
from tests.conversion.hf_folder import assert_refused
from tests.scripts.runner import config_of, flags_of

pytestmark = pytest.mark.usefixtures("words")


@pytest.fixture(scope="module")
def folder(golden, tmp_path_factory):
    return gpt_folder.write(golden, tmp_path_factory.mktemp("gpt") / "model")


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--force", r"--force is for a BERT; .* leave it out"),
        ("--labels=a,b", r"--labels is for a BERT; .*--labels=a,b; leave"),
        ("--output_format=huggingface", r"Expected a checkpoint"),
    ],
)
def test_flags_of_berts_are_one_line(golden, tmp_path, flag, message):
    config = config_of(
        convert_checkpoint,
        f"--input_dir={golden / 'gpt/model'}",
        f"--output_dir={tmp_path / 'out'}",
        "--num_attention_heads=2",
        flag,
    )
    with pytest.raises(UserError, match=message):
        convert_checkpoint.convert(config)
    assert not (tmp_path / "out").exists()


def test_heads_of_a_bert_are_not_to_be_said(golden, tmp_path):
    config = config_of(
        convert_checkpoint,
        f"--input_dir={golden / 'model_base'}",
        f"--output_dir={tmp_path / 'out'}",
        "--num_attention_heads=2",
    )
    with pytest.raises(UserError, match=r"--num_attention_heads is for OpenAI"):
        convert_checkpoint.convert(config)


def before_masked_words(folder, tmp_path):
    given = Given(vocab_file=str(folder / VOCAB), do_lower_case=True)
    MaskedWords.load(str(folder), given=given)


def student(folder, tmp_path):
    flags = (f"--model_dir={folder}", f"--output_dir={tmp_path}/out")
    config = config_of(make_student, *flags, "--num_layers=1")
    make_student.make_student(config)


def new_words(folder, tmp_path):
    (tmp_path / "words.txt").write_text("boats\n")
    config = config_of(
        extend_vocabulary,
        *(f"--model_dir={folder}", f"--output_dir={tmp_path}/out"),
        f"--new_tokens={tmp_path}/words.txt",
    )
    extend_vocabulary.extend_vocabulary(config)


def questions(folder, tmp_path):
    paragraph = {
        "context": "The boat went down.",
        "qas": [
            {
                **{"id": "1", "question": "What went?"},
                "answers": [{"text": "boat", "answer_start": 4}],
            }
        ],
    }
    text = json.dumps({"version": "1", "data": [{"paragraphs": [paragraph]}]})
    (tmp_path / "squad.json").write_text(text)
    flags = gpt_folder.flags(
        *(folder, tmp_path / "out"),
        f"--vocab_file={folder / VOCAB}",
        f"--train_file={tmp_path}/squad.json",
        *("--do_train", "--train_batch_size=1", "--max_query_length=8"),
    )
    config = run_squad.config_from_flags(flags_of(run_squad, *flags))
    finetune.run(Squad(config))


def language_model_that_sees_what_it_tells(folder, tmp_path):
    (tmp_path / "t.tsv").write_text("text\tlabel\na\tx\nb\ty\n")
    flags = gpt_folder.flags(
        *(folder, tmp_path / "out"),
        f"--vocab_file={folder / VOCAB}",
        f"--train_file={tmp_path}/t.tsv",
        *("--do_train", "--train_batch_size=1", "--lm_loss_weight=0.5"),
        "--attention_mask=bidirectional",
    )
    run_classifier.classify(config_of(run_classifier, *flags))


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (before_masked_words, r"needs a checkpoint with cls/pred.* no head"),
        (student, r"expected a BERT, of whose layers .* Received: a gpt\."),
        (new_words, r"with word pieces, .* of byte pairs"),
        (questions, r"not known where they stand .* take a model with word"),
        (language_model_that_sees_what_it_tells, r"mask bidirectional\.$"),
    ],
)
def test_what_it_cannot_do_is_one_line_before_work(
    folder, tmp_path, do, message
):
    with pytest.raises(UserError, match=message) as raised:
        do(folder, tmp_path)
    assert len(str(raised.value).replace(str(folder), "")) <= 300
    assert not (tmp_path / "out").exists()


def test_a_run_is_not_converted_to_hugging_faces(golden, tmp_path):
    gpt_folder.write_run(golden, tmp_path / "run", "classification")
    message = "Expected a model of encoder_type 'bert'"
    assert_refused(tmp_path / "run", tmp_path / "out", message)
