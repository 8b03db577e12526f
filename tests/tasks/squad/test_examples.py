import json
import logging
from pathlib import Path

import pytest

from bert.errors import UserError
from bert.tasks.squad import examples as squad


def question(qas_id="q1", text="cat", start=4, **others):
    return {
        "id": qas_id,
        "question": "who?",
        "answers": [{"text": text, "answer_start": start}],
        **others,
    }


def squad_file(tmp_path, *qas, context="the cat sat"):
    path = tmp_path / "squad.json"
    paragraphs = [{"context": context, "qas": list(qas)}]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return str(path)


def train(path, version_2_with_negative=False):
    return squad.read_training_examples(path, version_2_with_negative).examples


def predict(path, with_answers=False, version_2_with_negative=False):
    return squad.read_prediction_examples(
        path,
        with_answers=with_answers,
        version_2_with_negative=version_2_with_negative,
    )


def test_questions_come_in_order_and_share_their_paragraphs_words(golden):
    examples = predict(str(golden / "inputs/squad/dev-v2.0.json"))
    assert [e.qas_id for e in examples] == [
        f"dev-{number:03}" for number in range(1, 22)
    ]
    assert examples[0].doc_tokens is examples[3].doc_tokens
    assert examples[3].doc_tokens is not examples[4].doc_tokens


def test_words_split_at_five_spaces_and_no_others(tmp_path):
    context = "  a\tb\r\nc\u202fd\u00a0e\u3000f  g "
    path = squad_file(tmp_path, question(), context=context)
    (example,) = predict(path)
    assert example.doc_tokens == ["a", "b", "c", "d\u00a0e\u3000f", "g"]


def test_an_answer_is_given_as_words(tmp_path):
    path = squad_file(
        tmp_path,
        question("inside", "1895", 11),
        question("two words", "in (1895-19", 7),
        question("at the end", "x.", 24),
        context="born\n  in (1895-1943),  x.",
    )
    assert [
        (e.orig_answer_text, e.start_position, e.end_position)
        for e in train(path)
    ] == [("1895", 2, 2), ("in (1895-19", 1, 2), ("x.", 3, 3)]


def test_an_answer_in_spaces_before_the_first_word_is_dropped(tmp_path, caplog):
    path = squad_file(
        tmp_path,
        question("off", " cat", 0),
        question("on", "cat", 1),
        context=" cat sat",
    )
    with caplog.at_level(logging.WARNING):
        assert [e.qas_id for e in train(path)] == ["on"]
    assert caplog.messages[0] == "Could not find answer: '' vs. 'cat'"


def test_an_answer_that_is_not_found_is_dropped_with_a_warning(
    tmp_path, caplog
):
    path = squad_file(
        tmp_path, question("off", "sat", 4), question("on", "sat", 8)
    )
    with caplog.at_level(logging.WARNING):
        assert [e.qas_id for e in train(path)] == ["on"]
    assert caplog.messages == [
        "Could not find answer: 'cat' vs. 'sat'",
        f'{path}, data[0].paragraphs[0].qas[0] (id "off"): expected the answer '
        "'sat' in the words of characters 4 to 7 of the context. Received: "
        "'cat'; the question is left out.",
        f"{path}: 1 of 2 questions left out, since their answers were not "
        "found.",
    ]


def test_spaces_in_an_answer_are_those_of_its_words(tmp_path):
    path = squad_file(
        tmp_path, question(text="cat  sat", start=0), context="cat  sat"
    )
    (example,) = train(path)
    assert (example.start_position, example.end_position) == (0, 1)


def test_a_question_without_an_answer_in_training(tmp_path):
    path = squad_file(
        tmp_path,
        question("no", is_impossible=True, answers=[]),
        question("yes", is_impossible=False),
    )
    no, yes = train(path, version_2_with_negative=True)
    assert (no.is_impossible, no.orig_answer_text) == (True, "")
    assert (no.start_position, no.end_position) == (-1, -1)
    assert (yes.is_impossible, yes.start_position) == (False, 1)


def test_is_impossible_is_not_read_without_the_flag(tmp_path):
    path = squad_file(tmp_path, question(is_impossible="maybe"))
    (example,) = train(path)
    assert not example.is_impossible


def test_a_file_of_v1_is_one_of_v2_too(tmp_path):
    path = squad_file(tmp_path, question())
    (example,) = train(path, version_2_with_negative=True)
    assert not example.is_impossible


def test_answers_are_not_looked_at_where_they_are_not_needed(tmp_path):
    path = squad_file(tmp_path, question(answers="none"))
    (example,) = predict(path)
    assert example.answers == ()


def test_an_evaluation_reads_all_answers(tmp_path):
    two = [{"text": "cat"}, {"text": "the cat"}]
    path = squad_file(
        tmp_path, question("two", answers=two), question("none", answers=[])
    )
    examples = predict(path, with_answers=True, version_2_with_negative=True)
    assert [e.answers for e in examples] == [("cat", "the cat"), ()]


def test_an_id_may_be_a_number(tmp_path):
    path = squad_file(tmp_path, question(7))
    assert [e.qas_id for e in predict(path)] == ["7"]


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = Path(squad_file(tmp_path, question()))
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert len(predict(str(path))) == 1


def test_a_fault_is_named_with_its_place(tmp_path):
    path = tmp_path / "dev.json"
    good = {"context": "a", "qas": [question("good")]}
    bad = {"context": "a", "qas": [question("g2"), question("bad", question=3)]}
    path.write_text(
        json.dumps({"data": [{"paragraphs": [good, good | {"qas": []}, bad]}]})
    )
    with pytest.raises(UserError) as error:
        predict(str(path))
    assert str(error.value) == (
        f'{path}, data[0].paragraphs[2].qas[1] (id "bad").question: expected '
        "a string. Received: 3."
    )


SEVERAL = [
    {"text": "cat", "answer_start": 4},
    {"text": "the cat", "answer_start": 0},
    {"text": "cat sat", "answer_start": 4},
]


@pytest.mark.parametrize(
    ("which", "expected"), [("first", "cat"), ("longest", "the cat")]
)
def test_one_of_several_answers_is_learned(tmp_path, caplog, which, expected):
    path = squad_file(tmp_path, question("q1", answers=SEVERAL), question("q2"))
    with caplog.at_level(logging.WARNING):
        found, num_left_out = squad.read_training_examples(
            path, False, train_on_answer=which
        )
    assert [e.orig_answer_text for e in found] == [expected, "cat"]
    assert num_left_out == 0
    assert caplog.messages == [
        f"{path}: 1 of 2 questions have several answers; of each the {which} "
        "one is learned."
    ]


@pytest.mark.parametrize("which", ["error", "first", "longest"])
def test_a_question_without_an_answer_is_an_error(tmp_path, which):
    path = squad_file(tmp_path, question(answers=[]))
    with pytest.raises(UserError, match=r"exactly 1 answer\. Received: 0"):
        squad.read_training_examples(path, False, train_on_answer=which)


def test_several_answers_are_an_error_that_names_the_flag(tmp_path):
    path = squad_file(tmp_path, question(answers=SEVERAL))
    with pytest.raises(UserError, match=r"Received: 3; .*--train_on_answer="):
        squad.read_training_examples(path, False)
