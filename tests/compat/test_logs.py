"""What whole runs of the commands log."""

import json
import re
from collections import Counter

import pytest

from tests.scripts.runner import run

# The original logs its graph once more for each mode, its inputs included; we
# the weights once, with what they are loaded from.
_MODEL = re.compile(
    r"(\*{3} Features|\*{4} Trainable Variables) \*{3,4}$|  name = "
)
# Of TensorFlow's own lines those that people look for.
_KEPT = re.compile(
    "Saving checkpoints for|Loss for final step|Saving dict for global step|"
    "Restoring parameters from|global_step/sec|examples/sec"
)


def plain(text):
    """Returns a line without its figures."""
    return re.sub(r"\d+\.\d+(e-\d+)?|(?<=sec: )\S+", "<number>", text)


def logged(stderr):
    """Returns the texts of absl's lines."""
    lines = re.findall(r"^[IWE]\d{4} .*?\] (.*)$", stderr, re.M)
    return [plain(line) for line in lines]


def expected(record, places):
    """Returns the texts that people look for: the script's, TensorFlow's."""
    found = {"script": [], "TensorFlow": []}
    for line in record["result"]:
        text = line.get("text", "")
        for name, path in places.items():
            text = text.replace(f"<{name}>", str(path))
        is_kept = (
            not _MODEL.match(text)
            if line.get("from") == "script"
            else _KEPT.match(text)
        )
        if text and is_kept:
            found[line["from"]].append(plain(text))
    return found


# What the short runs are told, beside what `complete` has.
_SHORT_RUNS = {
    "classifier: unknown flag, --do_predict": "--do_predict --foo=1 "
    "--task_name=MNLI --data_dir={golden}/inputs/mnli "
    "--init_checkpoint={golden}/train_classifier/model.ckpt-12",
    "classifier: no do_*": "",
    "classifier: missing required": "--do_eval --output_dir=",
    "classifier: unknown task": "--do_eval --task_name=foo",
    "classifier: too long": "--do_eval --max_seq_length=5000",
    "classifier: bad int": "--do_eval --max_seq_length=ten",
    "classifier: missing vocab": "--do_eval --vocab_file=/nonexistent/v.txt",
    "classifier: missing config": "--do_eval --bert_config_file=/nonexistent/c",
    "classifier: case": "--do_eval --do_lower_case=False "
    "--init_checkpoint=/x/uncased_L-12_H-768_A-12/bert_model.ckpt",
    "classifier: missing ckpt": "--do_eval --init_checkpoint=/nonexistent/b",
    "classifier: missing data": "--do_eval --data_dir=/nonexistent",
    "classifier: --help": "--help",
    "classifier: --helpfull": "--helpfull",
    "classifier: xnli predict": "--task_name=XNLI --do_predict",
    "squad: no do_*": "",
    "squad: query too long": "--do_predict --max_query_length=45 "
    "--max_seq_length=48",
    "pretraining: no do_*": "",
    "pretraining: glob without files": "--do_train --input_file=/nothing*",
    "create_pretraining_data: glob without files": "--input_file=/nothing*",
    "extract_features: layers": "--layers=-9",
    "extract_features: layers not numbers": "--layers=a",
}
# The original makes an empty file of no files (docs/differences.md).
_OTHER_EXIT_CODES = {"create_pretraining_data: glob without files": 1}


def complete(call, golden, out):
    """Returns the script of a short run, and flags that it can run with."""
    name = call.partition(":")[0]
    inputs = golden / "inputs"
    files = {
        "classifier": {
            "task_name": "MRPC",
            "data_dir": inputs / ("xnli" if "xnli" in call else "mrpc"),
        },
        "squad": {"predict_file": inputs / "squad/dev-v1.1.json"},
        "pretraining": {
            "input_file": golden / "pretraining_data/default.tfrecord"
        },
        "create_pretraining_data": {"input_file": inputs / "corpus_a.txt"},
        "extract_features": {"input_file": inputs / "features.txt"},
    }[name]
    makes_file = name in ("create_pretraining_data", "extract_features")
    flags = {
        "vocab_file": inputs / "vocab.txt",
        "bert_config_file": golden / "model_base/bert_config.json",
        "init_checkpoint": golden / "model_base/bert_model.ckpt",
        "max_seq_length": 32,
        "output_file" if makes_file else "output_dir": out,
        **files,
    }
    runs = name in ("classifier", "squad", "pretraining")
    script = f"run_{name}.py" if runs else f"{name}.py"
    return script, [f"--{flag}={value}" for flag, value in flags.items()]


@pytest.mark.slow
@pytest.mark.parametrize("call", _SHORT_RUNS)
def test_exit_codes_are_the_originals(golden, tmp_path, call):
    records = json.loads((golden / "library/logs.json").read_text())
    expected = {r["call"]: r["exit_code"] for r in records}
    assert {each for each in expected if ":" in each} == _SHORT_RUNS.keys()
    expected |= _OTHER_EXIT_CODES
    script, flags = complete(call, golden, tmp_path / "out")
    own = _SHORT_RUNS[call].format(golden=golden).split()
    done = run(script, *flags, *own, check=False)
    assert done.returncode == expected[call], done.stderr


@pytest.mark.slow
def test_runs_log_the_lines_that_people_look_for(golden, tmp_path):
    records = json.loads((golden / "library/logs.json").read_text())
    places = {"inputs": golden / "inputs", "golden": golden}
    places["output_dir"] = tmp_path
    (tmp_path / "cls").mkdir()
    for record in records:
        if "result" not in record:
            continue
        args = record["args"].replace(
            "(vocab, config and checkpoint as in run_squad)",
            "--vocab_file=<inputs>/vocab.txt "
            "--bert_config_file=<golden>/model_base/bert_config.json "
            "--init_checkpoint=<golden>/model_base/bert_model.ckpt",
        )
        for name, path in places.items():
            args = args.replace(f"<{name}>", str(path))
        ours = logged(run(record["call"], *args.split()).stderr)
        theirs = expected(record, places)
        # In another order: we write the records to evaluate on first.
        missing = Counter(theirs["script"]) - Counter(ours)
        assert missing == {}, record["call"]
        for line in set(theirs["TensorFlow"]):
            start = line.partition("<number>")[0].partition("eval_acc")[0]
            assert any(our.startswith(start) for our in ours), line
