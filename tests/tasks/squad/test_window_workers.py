import pickle

import pytest

from bert.data.records import record_writer
from bert.data.text.gpt_tokenizer import GptTokenizer
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad import examples, window_workers, windows
from bert.tasks.squad.window_workers import Job

SETTINGS = windows.WindowSettings(48, 16, 12)


@pytest.fixture
def questions(golden):
    return examples.read_prediction_examples(
        str(golden / "inputs/squad/dev-v2.0.json"),
        with_answers=False,
        version_2_with_negative=True,
        answer_offsets="words",
    )


@pytest.fixture
def tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt")


def test_records_are_the_same_for_any_number_of_processes(
    questions, tokenizer, tmp_path, monkeypatch
):
    monkeypatch.setattr(window_workers, "_PART", 2)
    fields = windows.fields(SETTINGS.max_seq_length, is_training=False)
    expected = [
        windows.features(window, tokenizer, SETTINGS.max_seq_length)
        for window in windows.windows(questions, tokenizer, SETTINGS)
    ]
    assert len(expected) > len(questions) > 4
    first_id = expected[0]["unique_ids"][0]
    plain, other = str(tmp_path / "plain"), str(tmp_path / "other")
    written = record_writer.write(plain, fields, expected)
    for number in (1, 2):
        found = window_workers.features(
            questions, Job(tokenizer, SETTINGS), number, first_id
        )
        assert record_writer.write(other, fields, found) == written


def test_questions_without_windows_leave_no_gap(questions, tokenizer):
    empty = examples.SquadExample("x", "who?", [])
    asked = [empty, questions[0], empty, questions[1]]
    found = window_workers.features(asked, Job(tokenizer, SETTINGS), 1, 7)
    ids = [int(row["unique_ids"][0]) for row in found]
    assert ids == list(range(7, 7 + len(ids)))
    assert not list(
        window_workers.features([empty], Job(tokenizer, SETTINGS), 1, 7)
    )


def test_a_tokenizer_of_gpt_can_be_sent_to_a_process(golden):
    pytest.importorskip("ftfy")
    pytest.importorskip("spacy")
    gpt = GptTokenizer(golden / "gpt/model/encoder_bpe_40000.json")
    text = "the boat of 1924"
    assert pickle.loads(pickle.dumps(gpt)).encode(text) == gpt.encode(text)
