"""Bad input ends in one line that names it, before any work."""

import json
import re
import shutil

import pytest
from absl import flags

from bert import run_squad as script
from bert.errors import UserError
from bert.tasks import finetune
from bert.tasks.squad.finetuning import Squad
from tests.modeling import checkpoints
from tests.scripts import runner
from tests.scripts.runner import config_of, error_of

SCRIPT = "run_squad.py"


@pytest.fixture
def command(golden, tmp_path):
    """A training that would work but for what a test changes."""
    return [
        *runner.model_flags(golden, tmp_path / "out"),
        f"--train_file={golden / 'inputs/squad/train-v1.1.json'}",
        f"--predict_file={golden / 'inputs/squad/dev-v1.1.json'}",
        "--max_seq_length=48",
        "--max_query_length=12",
    ]


def find_answers(*args):
    finetune.run(Squad(config_of(script, *args)))


def contents(folder):
    return {
        path.name: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def refused(command, golden, tmp_path):
    """Returns a function: what the run says, which must leave output_dir."""
    out = tmp_path / "out"
    checkpoints.put(golden / "train_squad/model.ckpt-6", out)
    for name in ("train.tf_record", "predictions.json", "eval_results.txt"):
        (out / name).write_text("mine")

    def refused(*args):
        before = contents(out)
        with pytest.raises(UserError) as error:
            find_answers(*command, *args)
        assert contents(out) == before
        assert "\n" not in str(error.value)
        return str(error.value)

    return refused


def question(**changes):
    good = {
        "id": "q1",
        "question": "who?",
        "answers": [{"text": "cat", "answer_start": 4}],
    }
    changed = {**good, **changes}
    return {key: value for key, value in changed.items() if value is not None}


def answer(**changes):
    return question(answers=[{"text": "cat", "answer_start": 4, **changes}])


def file_of(*qas, context="the cat sat"):
    paragraph = {"context": context, "qas": list(qas)}
    return json.dumps({"data": [{"paragraphs": [paragraph]}]})


def paragraph_of(**paragraph):
    return json.dumps({"data": [{"paragraphs": [paragraph]}]})


QA = "data[0].paragraphs[0].qas[0]"
NAMED = f'{QA} (id "q1")'
ONE = "For training, each question should have exactly 1 answer. Received: "
V2 = "--version_2_with_negative"

# What is wrong with any file: its content, and what the line must hold.
BAD_FILES = {
    "an empty file": ("", "expected JSON. Received: an empty file"),
    "only spaces": (" \n", "expected JSON. Received: an empty file"),
    "no JSON": (
        '{"data": [\n{"paragraphs": oops}]}',
        "line 2, column 16: expected JSON (Expecting value). Received: "
        "'{\"paragraphs\": oops}]}'",
    ),
    "half a file": (file_of(question())[:-9], "line 1, column "),
    "nested too deeply": ("[" * 10**5, "nests too deeply"),
    "invalid UTF-8": (b'{"data":\n "\xff"}', "line 2: expected text in UTF-8"),
    "NUL bytes": ('{"data":\0}', "line 1: expected text in UTF-8"),
    "a list": ("[1, 2]", "expected an object. Received: [1, 2]"),
    "a text": ('"data"', 'expected an object. Received: "data"'),
    "no data": (
        '{"version": "1.1", "rows": []}',
        'expected the key "data". Received: the keys version, rows',
    ),
    "data is no list": ('{"data": {}}', "data: expected a list. Received: {}"),
    "no articles": ('{"data": []}', "expected questions (data[...]"),
    "an article is no object": ('{"data": [1]}', "data[0]: expected an object"),
    "no paragraphs": (
        '{"data": [{"title": "a"}]}',
        'data[0]: expected the key "paragraphs". Received: the keys title',
    ),
    "no context": (
        paragraph_of(qas=[]),
        'data[0].paragraphs[0]: expected the key "context"',
    ),
    "context is no text": (
        file_of(question(), context=["the cat"]),
        'paragraphs[0].context: expected a string. Received: ["the cat"]',
    ),
    "no qas": (
        paragraph_of(context="a"),
        'data[0].paragraphs[0]: expected the key "qas"',
    ),
    "no questions": (file_of(), "Received: none."),
    "no id": (file_of(question(id=None)), f'{QA}: expected the key "id"'),
    "id is a list": (file_of(question(id=[1])), f"{QA}.id: expected a string"),
    "id is true": (file_of(question(id=True)), f"{QA}.id: expected an integer"),
    "no question": (
        file_of(question(question=None)),
        f'{NAMED}: expected the key "question"',
    ),
    "question is no text": (
        file_of(question(question=7)),
        f"{NAMED}.question: expected a string. Received: 7.",
    ),
    "the same id twice": (
        file_of(question(), question(id="q2"), question()),
        "data[0].paragraphs[0].qas[2]: expected an id of its own for each "
        f'question. Received: "q1", which {QA} has, too',
    ),
}

# What is wrong with a training file; with flags.
BAD_TRAINING = {
    "no key answers": (
        [file_of(question(answers=None))],
        f'{NAMED}: expected the key "answers"',
    ),
    "no answer": ([file_of(question(answers=[]))], f"{ONE}0; for a file that"),
    "no answer, v2.0 without its flag": (
        [file_of(question(answers=[], is_impossible=True))],
        "pass --version_2_with_negative",
    ),
    "no answer, v2.0 without its mark": (
        [file_of(question(answers=[], is_impossible=False)), V2],
        f'{NAMED}: {ONE}0; mark a question without an answer "is_impossible"',
    ),
    "two answers": (
        [file_of(question(answers=[{"text": "cat", "answer_start": 4}] * 2))],
        f"{NAMED}: {ONE}2; keep one of them",
    ),
    "answer is no object": (
        [file_of(question(answers=["cat"]))],
        f'{NAMED}.answers[0]: expected an object. Received: "cat"',
    ),
    "no text": (
        [file_of(question(answers=[{"answer_start": 4}]))],
        f'{NAMED}.answers[0]: expected the key "text"',
    ),
    "empty text": (
        [file_of(answer(text=""))],
        f"{NAMED}.answers[0].text: expected the answer's text. Received: ''",
    ),
    "text is null": ([file_of(answer(text=None))], "text: expected a string"),
    "no answer_start": (
        [file_of(question(answers=[{"text": "cat"}]))],
        'expected the key "answer_start". Received: the keys text',
    ),
    "answer_start is a text": (
        [file_of(answer(answer_start="4"))],
        '.answer_start: expected an integer. Received: "4"',
    ),
    "answer_start is a fraction": (
        [file_of(answer(answer_start=4.0))],
        ".answer_start: expected an integer. Received: 4.0",
    ),
    "answer_start is negative": (
        [file_of(answer(answer_start=-1))],
        "a number from 0 to 8. Received: -1, for the answer 'cat'",
    ),
    "answer_start beyond the context": (
        [file_of(answer(answer_start=11))],
        "inside its context of 11 characters, so a number from 0 to 8. "
        "Received: 11",
    ),
    "answer ends beyond the context": (
        [file_of(answer(text="sat down", answer_start=8))],
        "inside its context of 11 characters",
    ),
    "is_impossible is a text": (
        [file_of(question(is_impossible="false")), V2],
        f'{NAMED}.is_impossible: expected true or false. Received: "false"',
    ),
    "no answer is found again": (
        [file_of(answer(text="dog"))],
        "expected answers at their answer_start (characters of the context, "
        "from 0). Received: other texts there, for all 1 of its answers",
    ),
    "no answer is found by its characters": (
        [file_of(answer(text="dog")), "--answer_offsets=characters"],
        "expected answers at their answer_start",
    ),
}

# What is wrong with a file to evaluate on; with flags.
BAD_EVALUATION = {
    "no answers": (
        [file_of(question(answers=None)), "--do_eval"],
        f'{NAMED}: expected "answers", which an evaluation needs. Received: '
        "the keys id, question; a file without answers can be predicted",
    ),
    "no answers for auto": (
        [
            file_of(question(answers=None)),
            "--do_predict",
            V2,
            "--null_score_diff_threshold=auto",
        ],
        'expected "answers", which an evaluation needs',
    ),
    "no answers to evaluate while training": (
        [file_of(question(answers=None)), "--do_train", "--eval_steps=1"],
        'expected "answers", which an evaluation needs',
    ),
    "v2.0 without its flag": (
        [file_of(question(answers=[])), "--do_eval"],
        "expected at least one answer, which an evaluation needs. Received: "
        "none; for a file that has questions without an answer (SQuAD v2.0), "
        "pass --version_2_with_negative",
    ),
    "text is a number": (
        [file_of(answer(text=4)), "--do_eval"],
        f"{NAMED}.answers[0].text: expected a string. Received: 4",
    ),
}


@pytest.mark.parametrize("flag", ["train", "predict"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file(refused, tmp_path, name, flag):
    content, message = BAD_FILES[name]
    path = tmp_path / "bad.json"
    is_bytes = isinstance(content, bytes)
    path.write_bytes(content if is_bytes else content.encode())
    line = refused(f"--do_{flag}", f"--{flag}_file={path}")
    assert str(path) in line
    assert message in line


@pytest.mark.parametrize("name", BAD_TRAINING)
def test_a_bad_training_file(refused, tmp_path, name):
    (content, *args), message = BAD_TRAINING[name]
    path = tmp_path / "train.json"
    path.write_text(content)
    line = refused("--do_train", f"--train_file={path}", *args)
    assert line.startswith(str(path))
    assert message in line


@pytest.mark.parametrize("name", BAD_EVALUATION)
def test_a_bad_file_to_evaluate_on(refused, tmp_path, name):
    (content, *args), message = BAD_EVALUATION[name]
    path = tmp_path / "dev.json"
    path.write_text(content)
    line = refused(f"--predict_file={path}", *args)
    assert line.startswith(str(path))
    assert message in line


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            [],
            "At least one of --do_train, --do_eval, --do_predict and",
        ),
        (["--do_train", "--train_file="], "`train_file` must be specified"),
        (["--do_predict", "--predict_file="], "If `do_predict` is given, then"),
        (["--do_eval", "--predict_file="], "`predict_file` must be specified"),
        (
            ["--do_train", "--eval_steps=1", "--predict_file="],
            "If `eval_steps` is given, then `predict_file` must be specified",
        ),
        (
            ["--do_predict", "--max_seq_length=15"],
            "The max_seq_length (15) must be greater than max_query_length "
            "(12) + 3",
        ),
        (
            ["--do_predict", "--null_score_diff_threshold=auto"],
            "=auto needs --version_2_with_negative",
        ),
        (
            ["--do_predict", V2, "--null_score_diff_threshold=low"],
            "must be a number or auto. Received: 'low'",
        ),
        (["--do_predict", "--null_score_diff_threshold=nan"], "a number or"),
        (
            ["--do_train", "--eval_steps=1", "--save_best=HasAns_f1"],
            "--save_best must be one of the metrics exact_match, f1. Received",
        ),
        (
            ["--do_train", "--eval_steps=1", "--save_best=NoAns_f1", V2],
            "must be one of the metrics HasAns_exact, HasAns_f1, best_exact,",
        ),
        (["--do_train", "--train_file=/nothing"], "cannot read /nothing: No s"),
        (["--do_predict", "--predict_file=/tmp"], "cannot read /tmp: Is a dir"),
        (["--do_predict", "--vocab_file=/nothing"], "cannot read /nothing"),
        (["--do_predict", "--max_seq_length=80"], "Cannot use sequence length"),
        (
            ["--do_train", "--do_predict", "--num_train_epochs=0.1"],
            "--num_train_epochs gives 0 steps of --train_batch_size=32",
        ),
        (
            ["--do_predict", "--save_best=f1"],
            "Expected the best weights by --save_best=f1",
        ),
    ],
)
def test_bad_flags(refused, args, message):
    assert message in refused(*args)


@pytest.mark.parametrize(
    "args", [["--n_best_size=0"], ["--max_answer_length=0"], ["--doc_stride=0"]]
)
def test_sizes_are_at_least_one(command, args):
    with pytest.raises(
        flags.IllegalFlagValueError, match="not a positive integer"
    ):
        find_answers("--do_predict", *command, *args)


def test_a_vocabulary_of_another_model(refused, tmp_path):
    path = tmp_path / "vocab.txt"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    path.write_text("\n".join([*pieces, *map(str, range(1000))]))
    line = refused("--do_predict", f"--vocab_file={path}")
    assert f"{path} has 1004 tokens, but vocab_size in" in line
    path.write_text("a\nb\n")
    line = refused("--do_predict", f"--vocab_file={path}")
    assert "[UNK], [CLS], [SEP] not found in its 2 tokens" in line


@pytest.mark.parametrize("do", ["--do_train", "--do_predict"])
def test_a_configuration_of_another_model(golden, refused, tmp_path, do):
    config = checkpoints.changed_config(golden, tmp_path, num_hidden_layers=4)
    line = refused(do, config, "--train_batch_size=1")
    assert "such as bert/encoder/layer_3/" in line


@pytest.mark.parametrize("do", ["--do_train", "--do_predict"])
def test_a_model_of_another_task_in_output_dir(golden, refused, tmp_path, do):
    shutil.rmtree(tmp_path / "out")
    checkpoints.put(golden / "train_classifier/model.ckpt-6", tmp_path / "out")
    line = refused(do)
    assert f"{tmp_path / 'out/model.ckpt-6'} has no cls/squad/output_w" in line
    assert "it is of another task; name another --output_dir" in line


def test_prediction_with_a_model_that_is_not_trained(golden, command, tmp_path):
    with pytest.raises(
        UserError, match=r"no cls/squad.*train it first.*check --output_dir="
    ):
        find_answers(
            *command,
            "--do_predict",
            f"--init_checkpoint={golden / 'model_base'}",
        )
    with pytest.raises(UserError, match="There is no trained model"):
        find_answers(*command, "--do_predict")
    assert not (tmp_path / "out").exists()


def test_paragraphs_without_any_word(refused, tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(file_of(question(), context=" \n"))
    message = f"{path}: expected paragraphs with words. Received: 1 questions"
    assert message in refused("--do_predict", f"--predict_file={path}")
    train = ("--do_train", f"--train_file={path}", V2)
    path.write_text(
        file_of(question(answers=[], is_impossible=True), context=" \n")
    )
    assert message in refused(*train, "--do_predict")


def test_the_command_ends_in_one_line(command, tmp_path):
    path = tmp_path / "train.json"
    path.write_text(file_of(answer(answer_start=99)))
    line = error_of(SCRIPT, *command, "--do_train", f"--train_file={path}")
    assert re.match(rf"error: {re.escape(str(path))}, data\[0\]\.", line)
    assert not (tmp_path / "out").exists()
