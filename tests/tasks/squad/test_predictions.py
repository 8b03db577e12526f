import json
import re

import numpy as np
import pytest

from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad import answers, predictions, windows
from bert.tasks.squad import examples as squad
from bert.tasks.squad.answers import RawResult


@pytest.fixture(scope="module")
def tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt")


@pytest.mark.parametrize(
    ("name", "folder", "cut"),
    [
        ("dev-v1.1", "dev-v1.1.nbest20", (48, 16, 12)),
        ("dev-v1.1", "dev-v1.1.nbest5", (48, 16, 12)),
        ("dev-v1.1-wide", "dev-v1.1-wide.nbest20", (64, 20, 6)),
        ("dev-v2.0", "dev-v2.0.t0", (48, 16, 12)),
        ("dev-v2.0", "dev-v2.0.tmid", (48, 16, 12)),
        ("dev-v2.0", "dev-v2.0.tneg", (48, 16, 12)),
    ],
)
def test_files_are_the_originals_to_the_letter(
    golden, tokenizer, tmp_path, name, folder, cut
):
    folder = golden / "squad_records" / folder
    settings = json.loads((folder / "settings.json").read_text())
    threshold = settings.pop("null_score_diff_threshold")
    examples = squad.read_prediction_examples(
        str(golden / f"inputs/squad/{name.removesuffix('-wide')}.json"),
        with_answers=False,
        version_2_with_negative=settings["version_2_with_negative"],
    )
    with np.load(folder.parent / f"{name}.logits.npz") as logits:
        results = [
            RawResult(*row)
            for row in zip(
                logits["unique_ids"].tolist(),
                logits["start_logits"],
                logits["end_logits"],
                strict=True,
            )
        ]
    found = answers.answers(
        examples,
        windows.windows(examples, tokenizer, windows.WindowSettings(*cut)),
        results,
        answers.AnswerSettings(**settings),
    )
    predictions.write_predictions(
        str(tmp_path), ((e.qas_id, a) for e, a in found), threshold
    )
    for path in tmp_path.iterdir():
        assert_same_file(path.read_text(), (folder / path.name).read_text())
    assert len(list(tmp_path.iterdir())) == len(list(folder.iterdir())) - 1


NUMBER = re.compile(r"(?<=: )-?\d+\.\d+(e-?\d+)?")


def assert_same_file(ours, theirs):
    """Texts, order and form to the letter; numbers within 1e-6."""
    assert NUMBER.sub("0", ours) == NUMBER.sub("0", theirs)
    for our, their in zip(
        NUMBER.finditer(ours), NUMBER.finditer(theirs), strict=True
    ):
        assert abs(float(our[0]) - float(their[0])) <= 1e-6
