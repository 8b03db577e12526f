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
