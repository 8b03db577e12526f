"""Every script, from training to the answers of an export.

A tiny model learns the 22 questions of tests/golden/squad_languages by heart.
"""

import io
import json

import pytest

from bert import predict as predict_script
from bert import run_squad as script
from bert.serving import line_service
from bert.serving.predictor import Predictor
from bert.tasks import finetune
from bert.tasks.squad.finetuning import Squad
from tests.scripts.runner import config_of

pytestmark = pytest.mark.slow

CONFIG = {
    "vocab_size": 1563,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 192,
    "type_vocab_size": 2,
    "initializer_range": 0.05,
}


def find_answers(*args):
    """Does what the script does with these flags, in this process."""
    finetune.run(Squad(config_of(script, *args)))


@pytest.fixture(scope="module")
def questions(golden):
    return golden / "squad_languages/questions.json"


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def trained(request, golden, questions, tmp_path_factory):
    """The output_dir of a run that knows its questions."""
    out = tmp_path_factory.mktemp("languages") / "out"
    config = out.parent / "config.json"
    config.write_text(json.dumps(CONFIG))
    find_answers(
        f"--bert_config_file={config}",
        f"--vocab_file={golden / 'squad_languages/vocab.txt'}",
        f"--do_lower_case={request.param}",
        f"--train_file={questions}",
        f"--predict_file={questions}",
        f"--output_dir={out}",
        "--answer_offsets=characters",
        "--f1_by=auto",
        "--do_train",
        "--do_eval",
        "--do_export",
        "--max_seq_length=192",
        "--max_answer_length=50",
        "--train_batch_size=22",
        "--num_train_epochs=300",
        "--learning_rate=1.5e-3",
        "--random_seed=1",
    )
    return out


@pytest.fixture(scope="module")
def gold(questions):
    """A request, and the answer's text, start and end, for each question."""
    return [
        (
            {
                "id": qa["id"],
                "question": qa["question"],
                "context": paragraph["context"],
            },
            (text := qa["answers"][0]["text"]),
            (start := qa["answers"][0]["answer_start"]),
            start + len(text),
        )
        for article in json.loads(questions.read_text("utf-8"))["data"]
        for paragraph in article["paragraphs"]
        for qa in paragraph["qas"]
    ]


def test_all_answers_are_known(trained):
    lines = (trained / "eval_results.txt").read_text().splitlines()
    assert lines == [
        "exact_match = 100.0",
        "f1 = 100.0",
        "f1_by = auto",
        "global_step = 300",
    ]


def test_task_json_keeps_what_answers_are_counted_in(trained):
    for path in (trained / "task.json", trained / "export/assets/task.json"):
        options = json.loads(path.read_text())["options"]
        assert options["answer_offsets"] == "characters"


def test_files_say_where_the_answers_stand(trained, gold):
    texts, nbest = (
        json.loads((trained / f"{name}.json").read_text("utf-8"))
        for name in ("predictions", "nbest_predictions")
    )
    for request, text, start, end in gold:
        assert texts[request["id"]] == text
        best = nbest[request["id"]][0]
        assert list(best) == [
            *("text", "probability", "start_logit", "end_logit"),
            *("start", "end"),
        ]
        assert (best["text"], best["start"], best["end"]) == (text, start, end)
        for entry in nbest[request["id"]]:
            own = request["context"][entry["start"] : entry["end"]]
            assert entry["text"] == own


@pytest.mark.parametrize("folder", ["", "export"])
def test_the_folder_and_its_export_give_the_same(trained, gold, folder):
    predictor = Predictor.load(str(trained / folder))
    found = predictor.predict([request for request, *_ in gold])
    for answer, (_, text, start, end) in zip(found, gold, strict=True):
        assert answer["text"] == answer["nbest"][0]["text"] == text
        assert (answer["start"], answer["end"]) == (start, end)


def test_the_command_gives_the_same(trained, gold, tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each, *_ in gold))
    config = config_of(
        predict_script,
        f"--model_dir={trained}",
        f"--input_file={path}",
        "--n_best_size=2",
        "--max_answer_length=40",
    )
    predictor = Predictor.load(
        config.model_dir, 32, config, **config.answer_options
    )
    out = io.BytesIO()
    with line_service.open_input(config.input_file) as source:
        line_service.serve(
            source, predict_script.service(config, predictor), out
        )
    lines = out.getvalue().decode().splitlines()
    for line, (request, text, start, end) in zip(lines, gold, strict=True):
        answer = json.loads(line)
        assert answer["id"] == request["id"]
        assert answer["text"] == text
        assert (answer["start"], answer["end"]) == (start, end)
        assert len(answer["nbest"]) <= 2
