"""Answers in every script: labels and texts by characters."""

import json
import logging
import time
from pathlib import Path

import numpy as np
import pytest

from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad import answers, windows
from bert.tasks.squad import examples as squad
from bert.tasks.squad.answers import RawResult
from bert.tasks.squad.character_offsets import (
    PieceOffsets,
    answer_range,
    comes_back_in_words,
)
from bert.tasks.squad.examples import SquadExample
from tests.data.text import reference_tokenizer

CUT = windows.WindowSettings(384, 128, 64)
SHARED = Path(__file__).parents[4] / "shared"
# By name in results.json: the vocabulary and whether it lower-cases; and how
# many of the 22 answers can come back.
SETUPS = {
    "tiny": ("vocab.txt", True, 22),
    "tiny, cased": ("vocab.txt", False, 22),
    "uncased": ("uncased.txt", True, 19),
    "chinese": ("chinese.txt", True, 18),
    "chinese, cased": ("chinese.txt", False, 12),
}


def choice(do_lower_case):
    return answers.AnswerSettings(20, 100, do_lower_case, False)


@pytest.fixture(scope="module", params=SETUPS)
def setup(request, golden):
    """(name in results.json, tokenizer, do_lower_case, number possible)."""
    name, do_lower_case, possible = SETUPS[request.param]
    path = golden / "squad_languages" / name
    if not path.exists():
        path = SHARED / "vocab" / name
    if not path.exists():
        pytest.skip(f"needs the real vocabulary {name} from ../shared/vocab")
    tokenizer = FullTokenizer(path, do_lower_case)
    return request.param, tokenizer, do_lower_case, possible


@pytest.fixture
def questions(golden):
    return str(golden / "squad_languages/questions.json")


@pytest.fixture
def results(golden, setup):
    path = golden / "squad_languages/results.json"
    return json.loads(path.read_text("utf-8"))[setup[0]]


def gold_answers(path):
    """Question id → (context, text, start, end)."""
    found = {}
    for article in json.loads(Path(path).read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for qa in paragraph["qas"]:
                [answer] = qa["answers"]
                text, start = answer["text"], answer["answer_start"]
                end = start + len(text)
                assert context[start:end] == text
                found[qa["id"]] = context, text, start, end
    return found


def gold_pieces(tokenizer, do_lower_case, context, start, end):
    """Returns first and last piece over a range, and the range of those two.

    By the plain reference, which knows nothing of the code under test.
    """
    ranges = [
        own
        for _, own in reference_tokenizer.tokenize_with_offsets(
            context, tokenizer.vocab, do_lower_case
        )
    ]
    over = [i for i, own in enumerate(ranges) if own[0] < end > start < own[1]]
    return (over[0], over[-1]), (ranges[over[0]][0], ranges[over[-1]][1])


def perfect_logits(window, first, last):
    """Logits that are highest at two pieces of the paragraph."""
    size = CUT.max_seq_length
    logits = np.full([2, size], -9.0, np.float32)
    shift = len(window.query) + 2 - window.start
    for row, piece in zip(logits, (first, last), strict=True):
        if piece + shift in window.positions:
            row[piece + shift] = 9.0
    return RawResult(window.unique_id, *logits)


def perfect_answers(path, tokenizer, do_lower_case, answer_offsets):
    """Yields (question id, answer, pieces predicted) of perfect spans."""
    examples = squad.read_prediction_examples(
        path,
        with_answers=False,
        version_2_with_negative=False,
        answer_offsets=answer_offsets,
    )
    gold = gold_answers(path)
    cut = list(windows.windows(examples, tokenizer, CUT))
    pieces = {
        key: gold_pieces(tokenizer, do_lower_case, context, start, end)[0]
        for key, (context, _, start, end) in gold.items()
    }
    results = [
        perfect_logits(w, *pieces[examples[w.example_index].qas_id])
        for w in cut
    ]
    found = answers.answers(examples, cut, results, choice(do_lower_case))
    return {example.qas_id: answer for example, answer in found}


def test_perfect_spans_give_all_answers_that_are_possible(setup, questions):
    _, tokenizer, do_lower_case, possible = setup
    gold = gold_answers(questions)

    found = perfect_answers(questions, tokenizer, do_lower_case, "characters")

    exact = 0
    for key, (context, text, start, end) in gold.items():
        _, (piece_start, piece_end) = gold_pieces(
            tokenizer, do_lower_case, context, start, end
        )
        best = found[key].nbest[0].text
        assert found[key].ranges[0] == (piece_start, piece_end), key
        assert best == context[piece_start:piece_end], key
        assert text in best, key
        exact += best == text
        assert (best == text) == (found[key].ranges[0] == (start, end)), key
    assert exact == possible


def test_perfect_spans_give_what_is_possible_by_name(setup, questions, results):
    _, tokenizer, do_lower_case, _ = setup
    found = perfect_answers(questions, tokenizer, do_lower_case, "characters")

    for key, (_, text, _, _) in gold_answers(questions).items():
        possible = results["not_exact"].get(key, {"possible": True})["possible"]
        assert (found[key].nbest[0].text == text) == possible, key


def test_words_give_what_they_gave(setup, questions, results):
    """And say where the words that were taken stand."""
    _, tokenizer, do_lower_case, _ = setup
    gold = gold_answers(questions)
    found = perfect_answers(questions, tokenizer, do_lower_case, "words")

    not_exact = {
        key: found[key].nbest[0].text
        for key, (_, text, _, _) in gold.items()
        if found[key].nbest[0].text != text
    }
    assert not_exact == {
        key: value["returned"] for key, value in results["not_exact"].items()
    }
    for key, (_, _, start, end) in gold.items():
        first, last = found[key].ranges[0]
        assert first <= start < end <= last


@pytest.mark.parametrize("answer_offsets", ["characters", "words"])
def test_labels_are_the_pieces_of_the_answer(
    setup, questions, results, answer_offsets, caplog
):
    _, tokenizer, do_lower_case, _ = setup
    examples = squad.read_training_examples(
        questions, False, answer_offsets
    ).examples
    gold = gold_answers(questions)
    wrong = []
    for window in windows.windows(examples, tokenizer, CUT):
        key = examples[window.example_index].qas_id
        context, _, start, end = gold[key]
        pieces, _ = gold_pieces(tokenizer, do_lower_case, context, start, end)
        labels = window.start_position, window.end_position
        if tuple(map(window.piece_at, labels)) != pieces:
            wrong.append(key)

    if answer_offsets == "characters":
        assert wrong == []
        assert {e.qas_id for e in examples} == gold.keys()
    else:
        # What the original does; one question is left out.
        left_out = gold.keys() - {e.qas_id for e in examples}
        assert left_out == {"de-1"}
        assert {*wrong, *left_out} == set(results["labels_wrong"])


def test_answers_that_cannot_come_back_in_words_are_known(
    setup, questions, results
):
    _, tokenizer, do_lower_case, _ = setup
    examples = squad.read_training_examples(questions, False).examples

    found = {
        example.qas_id
        for example in examples
        if not comes_back_in_words(example, tokenizer, do_lower_case)
    }

    assert found == results["not_exact"].keys()


def test_an_answer_that_is_none_is_not_looked_at(golden, tokenizer):
    path = str(golden / "inputs/squad/train-v2.0.json")
    [example, *_] = (
        each
        for each in squad.read_training_examples(path, True).examples
        if each.is_impossible
    )
    assert comes_back_in_words(example, tokenizer, True)


# ---- windows, examples and texts by hand


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Each character of "abc中文" is a piece."""
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "who", *"abc中文-e"]
    path.write_text("\n".join([*pieces, *(f"##{c}" for c in "abce")]))
    return FullTokenizer(path)


def squad_file(tmp_path, context, *found):
    path = tmp_path / "squad.json"
    qas = [
        {
            "id": f"q{number}",
            "question": "who",
            "answers": [{"text": text, "answer_start": start}],
        }
        for number, (text, start) in enumerate(found)
    ]
    paragraphs = [{"context": context, "qas": qas}]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return str(path)


def labels(path, tokenizer, settings=CUT, answer_offsets="characters"):
    examples = squad.read_training_examples(
        path, False, answer_offsets
    ).examples
    return [
        (w.start_position, w.end_position)
        for w in windows.windows(examples, tokenizer, settings)
    ]


def test_the_second_of_two_equal_answers_is_learned(tmp_path, tokenizer):
    path = squad_file(tmp_path, "中文中文 ab-ab ab", ("中文", 2), ("ab", 8))
    # [CLS] who [SEP] 中 文 中 文 a ##b - a ##b a ##b
    assert labels(path, tokenizer) == [(5, 6), (10, 11)]
    assert labels(path, tokenizer, answer_offsets="words") == [(3, 4), (7, 8)]


def test_labels_are_all_pieces_that_the_answer_touches(tmp_path, tokenizer):
    path = squad_file(tmp_path, "abc xyz a", ("bc x", 1), ("y", 5))
    # [CLS] who [SEP] a ##b ##c [UNK] a
    assert labels(path, tokenizer) == [(4, 6), (6, 6)]


def test_windows_without_the_whole_answer_point_to_cls(tmp_path, tokenizer):
    path = squad_file(tmp_path, "中文abc中文", ("bc", 3))
    # Room for 4 pieces beside [CLS] who [SEP] ... [SEP].
    settings = windows.WindowSettings(8, 2, 4)
    assert labels(path, tokenizer, settings) == [(0, 0), (4, 5), (0, 0)]


@pytest.mark.parametrize("answer_offsets", ["characters", "words"])
def test_an_answer_without_pieces_ends_not_before_its_start(
    tmp_path, tokenizer, answer_offsets
):
    path = squad_file(tmp_path, "abc \u200b a", ("\u200b", 4))
    assert labels(path, tokenizer, answer_offsets=answer_offsets) == [(0, 0)]


def test_an_impossible_question_has_no_range(golden):
    path = str(golden / "inputs/squad/train-v2.0.json")
    examples = squad.read_training_examples(path, True, "characters").examples
    ranges = {e.answer_range is None for e in examples if e.is_impossible}
    assert ranges == {True}
    assert all(e.answer_range for e in examples if not e.is_impossible)


def test_an_answer_that_is_not_at_its_place_is_left_out(tmp_path, caplog):
    path = squad_file(tmp_path, "the cat  sat", ("cat sat", 4), ("cat", 4))
    with caplog.at_level(logging.WARNING):
        [example] = squad.read_training_examples(
            path, False, "characters"
        ).examples
    assert example.answer_range == (4, 7)
    assert caplog.messages == [
        f'{path}, data[0].paragraphs[0].qas[0] (id "q0"): expected the answer '
        "'cat sat' in characters 4 to 11 of the context. Received: 'cat  sa'; "
        "the question is left out.",
        f"{path}: 1 of 2 questions left out, since their answers were not "
        "found.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a b", (2, 5)), ("a\nb", (2, 5)), ("a c", None), ("a", (2, 3))],
)
def test_one_space_may_stand_for_another(text, expected):
    assert answer_range("x a\xa0b", text, 2) == expected


def test_pieces_know_their_range_and_a_range_its_pieces():
    #          words "ab" and "c" with pieces a, b and c, between them one
    #          without pieces
    offsets = PieceOffsets(
        "ab - c",
        ["ab", "-", "c"],
        [0, 3, 5],
        [0, 2, 2, 3],
        lambda words: [{"ab": (0, 1, 1, 2), "-": (), "c": (0, 1)}[words[0]]],
    )
    assert offsets.range_of(0, 2) == (0, 6)
    assert offsets.range_of(1, 1) == (1, 2)
    assert offsets.pieces_over(1, 6) == (1, 2)
    assert offsets.pieces_over(1, 4) == (1, 1)
    assert offsets.pieces_over(3, 6) == (2, 2)
    assert offsets.pieces_over(3, 4) is None


def test_questions_of_paragraphs_that_differ_in_spaces_share_no_places(
    tokenizer,
):
    words = ["a", "b"]
    found = [
        next(
            windows.windows(
                [SquadExample("", "who", words, word_starts=s, context=c)],
                tokenizer,
                CUT,
            )
        )
        for c, s in (("a b", [0, 2]), ("a  b", [0, 3]))
    ]
    both = list(
        windows.windows(
            [
                SquadExample("", "who", words, word_starts=s, context=c)
                for c, s in (("a b", [0, 2]), ("a  b", [0, 3]))
            ],
            tokenizer,
            CUT,
        )
    )
    for window in (found[1], both[1]):
        assert window.document.offsets.range_of(0, 1) == (0, 4)


def answer_of(context, tokenizer, answer_offsets="characters", **high):
    """The answer where starts and ends are high at p3=(start, end), ..."""
    in_characters = answer_offsets == "characters"
    words, word_starts = squad.words_of(context)
    example = SquadExample(
        "",
        "who",
        words,
        word_starts=word_starts,
        context=context if in_characters else None,
    )
    logits = np.full([2, 50], -9.0, np.float32)
    for place, values in high.items():
        logits[:, int(place[1:])] = values
    [window] = windows.windows([example], tokenizer, CUT)
    result = RawResult(window.unique_id, *logits)
    return answers.answer(example, [(window, result)], choice(True))


def test_an_answer_is_a_slice_of_its_paragraph(tokenizer):
    found = answer_of(
        "中a\u200bb\u3000 C\u0301-", tokenizer, p4=(9, 0), p6=(0, 9)
    )
    assert found.nbest[0].text == "a\u200bb\u3000 C\u0301"
    assert found.ranges[0] == (1, 8)


def test_in_words_the_range_is_that_of_the_words(tokenizer):
    found = answer_of("- 中a  -b-", tokenizer, "words", p5=(9, 0), p7=(0, 9))
    assert found.nbest[0].text == "a -b"
    assert found.ranges[0] == (2, 9)


def test_a_text_comes_once_with_the_place_of_the_best(tokenizer):
    found = answer_of("中 文 中", tokenizer, p5=(3, 3), p3=(2, 2))
    texts = [entry.text for entry in found.nbest]
    assert texts.count("中") == 1
    assert found.ranges[0] == (4, 5)
    assert len(found.ranges) == len(found.nbest)


LONG = {
    "found": "中文" * 14_500,
    "of another length": "中\u200b文" + "中文" * 14_500,
    "not found": "中文é—" * 7_250,  # — is [UNK]
}


@pytest.mark.parametrize("answer_offsets", ["characters", "words"])
@pytest.mark.parametrize("kind", LONG)
def test_a_long_paragraph_without_spaces_is_answered_in_a_second(
    tokenizer, answer_offsets, kind
):
    context = LONG[kind]
    example = SquadExample(
        "",
        "who",
        [context],
        word_starts=[0],
        context=context if answer_offsets == "characters" else None,
    )
    cut = list(windows.windows([example], tokenizer, CUT))
    rng = np.random.default_rng(1)
    results = []
    for window in cut:
        logits = rng.standard_normal([2, CUT.max_seq_length])
        # The best starts and ends side by side, so that all pairs count.
        logits[0, 150:170] += 9
        logits[1, 170:190] += 9
        results.append((window, RawResult(window.unique_id, *logits)))
    assert len(cut) > 200

    seconds = []
    for _ in range(3):  # a garbage collection may fall into one
        start = time.process_time()
        found = answers.answer(example, results, choice(True))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1
    assert found.nbest
