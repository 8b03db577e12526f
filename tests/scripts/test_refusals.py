"""What can be known without TensorFlow is refused without waiting for it."""

import importlib.util
import json
import shutil

import pytest

from tests.scripts.runner import run_code

# Runs commands in a process in which TensorFlow and Keras cannot be imported.
CODE = """
import importlib, json, sys
from bert.cli import command_line
from bert.errors import UserError
from bert.serving import http_models

class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("tensorflow", "keras"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Blocked)
for name, *words in json.loads(sys.argv[1]):
    script = importlib.import_module(f"bert.{name}")
    message = "no fault"
    try:
        script.FLAGS = command_line.read(script.define_flags, words, quiet=True)
        if name == "serve":  # in a process that it starts
            config = script.Config.from_flags(script.FLAGS)
            http_models.find(config.models["model"], config)
        else:
            script.main()
    except (UserError, AssertionError) as error:
        message = str(error)
    print(json.dumps(message))
"""
FILES = {
    "short.tsv": "text\tlabel\na\tx\nb\n",
    "rows.tsv": "text\tlabel\na\tx\nb\ty\nc\tx\n",
    "other.tsv": "text\tlabel\na\tz\n",
    "zeros.tsv": "text\tlabel\na\t0\nb\t1\nc\t2\n",
    "short.conll": "EU B-ORG\nrejects\n",
    "title.json": '{"data": [{"title": 3}]}',
    "one.jsonl": '{"text": "a", "choices": ["b"], "label": 0}\n',
    "text.txt": "a\n",
    "tasks.json": json.dumps(
        [
            {
                **{"name": "a", "task": "classification", "task_name": "tsv"},
                "train_file": "{tmp}/short.tsv",
            },
            {"name": "b", "task": "ner", "train_file": "{tmp}/short.conll"},
        ]
    ),
    "run/task.json": json.dumps(
        {
            **{"task": "classification", "kind": "classification"},
            **{"do_lower_case": True, "max_seq_length": 32},
        }
    ),
    "run/resume.json": '{"do_lower_case": true}',
    "run/labels.txt": "0\n1\n2\n",
    "run/checkpoint": 'model_checkpoint_path: "model.ckpt-12"\n',
}
_WORDS = "--vocab_file={golden}/inputs/vocab.txt"
_SIZES = "--bert_config_file={golden}/model_base/bert_config.json"
_MODEL = f"{_WORDS} {_SIZES} --max_seq_length=32"
_INIT = "--init_checkpoint={golden}/model_base/bert_model.ckpt"
_NEW = f"{_MODEL} {_INIT} --output_dir={{tmp}}/out"
_GO_ON = f"{_MODEL} --output_dir={{tmp}}/run"
_TSV = "--task_name=tsv --train_batch_size=2 --do_train --train_file={tmp}"
_ASKED = "--model_dir={tmp}/run --input_file={tmp}/text.txt"
# Command lines, and what is said.
REFUSED = [
    (f"run_classifier {_NEW} {_TSV}/short.tsv", "line 3: expected 2 columns"),
    (
        f"run_classifier {_NEW} {_TSV}/rows.tsv --do_eval "
        "--dev_file={tmp}/other.tsv",
        "line 2: expected one of the labels x, y",
    ),
    (
        f"run_classifier {_NEW} {_TSV}/short.tsv --do_eval --folds=2",
        "line 3: expected 2 columns",
    ),
    (
        f"run_classifier {_NEW} {_TSV}/rows.tsv --num_train_epochs=0.1",
        "--num_train_epochs gives 0 steps",
    ),
    (
        f"run_classifier {_NEW} {_TSV}/rows.tsv --teacher_dir={{tmp}}/run",
        "with the labels x, y. Received: one with 0, 1, 2",
    ),
    (
        f"run_classifier {_NEW} {_TSV}/rows.tsv --do_export "
        "--export_dir={tmp}",
        "--export_dir must be a folder of its own",
    ),
    # The labels of a trained model are those of its head.
    (
        f"run_classifier {_GO_ON} {_TSV}/rows.tsv",
        "line 2: expected one of the labels 0, 1, 2",
    ),
    (
        f"run_classifier {_GO_ON} {_TSV}/zeros.tsv --nodo_lower_case",
        "made with another do_lower_case (true before, false now)",
    ),
    (
        f"run_classifier {_GO_ON} --task_name=tsv --do_eval "
        "--dev_file={tmp}/short.tsv",
        "line 3: expected 2 columns",
    ),
    (
        f"run_ner {_GO_ON} --do_predict --test_file={{tmp}}/short.conll",
        "has no cls/token/output_weights, but output_weights",
    ),
    (
        f"run_ner {_NEW} --do_train --train_file={{tmp}}/short.conll",
        "line 2: expected 2 column(s)",
    ),
    (
        f"run_squad {_NEW} --max_query_length=8 --doc_stride=8 --do_train "
        "--train_file={tmp}/title.json",
        "title.json, data[0]",
    ),
    (
        f"run_multiple_choice {_NEW} --do_train --train_file={{tmp}}/one.jsonl "
        "--text_column=text --choice_columns=choices",
        "line 1: expected at least 2 choices",
    ),
    (
        f"run_multitask {_NEW} --do_train --tasks={{tmp}}/tasks.json",
        "line 3: expected 2 columns",
    ),
    (
        f"run_pretraining {_NEW} --do_train --input_file={{tmp}}/no*",
        "No file matches --input_file",
    ),
    (
        f"run_pretraining {_NEW} --do_train --input_file={{tmp}}/text.txt "
        "--teacher_dir={tmp}/run",
        "The task pretraining needs a checkpoint",
    ),
    (
        f"extract_features {_MODEL} {_INIT} --input_file={{tmp}}/no "
        "--output_file={tmp}/out.jsonl --layers=-1",
        "Cannot read --input_file",
    ),
    ("predict --model_dir={tmp}/run --input_file={tmp}/no", "Cannot read"),
    (f"predict {_ASKED} --task=ner", "The task ner needs a checkpoint"),
    (f"predict {_ASKED} --labels=a,b", "trained with the 3 labels 0, 1, 2"),
    (f"fill_mask {_ASKED}", "The task pretraining needs a checkpoint"),
    (
        "export_model --model_dir={tmp}/run --export_dir={tmp}/run",
        "must be missing, empty or an earlier export",
    ),
    (
        "compress_model --export_dir={tmp}/run --output_dir={tmp}/out "
        "--eval_file={tmp}/no",
        "--export_dir must be a SavedModel",
    ),
    (
        "convert_checkpoint --input_dir={tmp}/run --output_dir={tmp}/text.txt",
        "is a file, not a folder",
    ),
    (
        "convert_checkpoint --input_dir={tmp}/run --output_dir={tmp}/out "
        "--task=squad",
        "must have the head of a model for 'squad'",
    ),
    (
        "tools.make_student --model_dir={tmp}/run --output_dir={tmp}/text.txt "
        "--num_layers=2",
        "is a file, not a folder",
    ),
    (
        "tools.extend_vocabulary --model_dir={tmp}/run --output_dir={tmp}/out "
        "--new_tokens={tmp}/short.tsv",
        "line 1: expected a word",
    ),
    (
        "tools.show --model_dir={tmp}/no --output_file={tmp}/a.html --text=a",
        "Expected the folder of a trained model",
    ),
]
SERVE = [("serve --model_dir={tmp}/run --task=ner", "The task ner needs")]
HAS_SERVE = pytest.mark.skipif(
    not importlib.util.find_spec("starlette"), reason="requirements-serve.txt"
)


@pytest.mark.parametrize(
    "refused",
    [REFUSED, pytest.param(SERVE, marks=HAS_SERVE)],
    ids=["base", "serve"],
)
def test_a_refusal_needs_no_tensorflow(refused, golden, tmp_path):
    places = {"golden": golden, "tmp": tmp_path}
    (tmp_path / "run").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("{tmp}", str(tmp_path)))
    for end in ("index", "data-00000-of-00001"):
        shutil.copy(
            golden / f"train_classifier/model.ckpt-12.{end}", tmp_path / "run"
        )
    shutil.copy(golden / "model_base/bert_config.json", tmp_path / "run")
    shutil.copy(golden / "inputs/vocab.txt", tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    lines = [line.format(**places).split() for line, _ in refused]
    ran = run_code(CODE, json.dumps(lines))
    assert ran.returncode == 0, ran.stderr
    said = map(json.loads, ran.stdout.splitlines())
    for (line, expected), message in zip(refused, said, strict=True):
        assert expected in message, line
    assert sorted(tmp_path.rglob("*")) == before
