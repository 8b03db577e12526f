"""SQuAD's JSON files → questions, checked.

    {"data": [{"paragraphs": [{"context": "...", "qas": [
        {"id": "...", "question": "...", "is_impossible": false,
         "answers": [{"text": "...", "answer_start": 17}]}]}]}]}

Other keys are left out. Every fault is named with its place in the file.

Source: Rajpurkar et al. 2016 (v1.1), Rajpurkar et al. 2018 (v2.0).
"""

import bisect
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.data.tables import json_node, rows
from bert.data.tables.json_node import Node
from bert.errors import UserError
from bert.tasks.squad import character_offsets

# What separates words; other spaces (U+00A0, ...) stand inside a word.
_WORD = re.compile("[^ \t\r\n\u202f]+")
# Of the line that the original logs, too: control characters do things.
_ESCAPES = {n: repr(chr(n))[1:-1] for n in (*range(32), *range(127, 160))}


@dataclasses.dataclass(frozen=True, slots=True)
class SquadExample:
    """A question about a paragraph.

    Attributes:
        qas_id: the question's id, unique in its file.
        question_text: the question.
        doc_tokens: the paragraph's words; questions of a paragraph share the
            list.
        orig_answer_text: the answer to learn, "" where there is none; None
            where answers were not asked for.
        start_position: the answer's first word, -1 where there is none; None
            as above.
        end_position: its last word, likewise.
        is_impossible: whether the paragraph has no answer; False where
            answers were not asked for.
        answers: all right answers, for an evaluation; () where it has none,
            or where they were not asked for.
        answer_ranges: of each of them, as `answer_range`.
        word_starts: where in the paragraph each word begins.
        context: the paragraph, where answers are counted in its characters;
            None where they are counted in words.
        answer_range: the answer to learn as a range [start, end) of characters
            of the paragraph; None where there is none, where another text
            stands there, and where answers were not asked for.
    """

    qas_id: str
    question_text: str
    doc_tokens: Sequence[str]
    orig_answer_text: str | None = None
    start_position: int | None = None
    end_position: int | None = None
    is_impossible: bool = False
    answers: tuple[str, ...] = ()
    answer_ranges: tuple[tuple[int, int] | None, ...] = ()
    word_starts: Sequence[int] = ()
    context: str | None = None
    answer_range: tuple[int, int] | None = None


class TrainingExamples(NamedTuple):
    """The questions of a file to train on.

    Attributes:
        examples: at least one.
        num_left_out: how many more there are, whose answers are not found.
    """

    examples: list[SquadExample]
    num_left_out: int


def words_of(text: str) -> tuple[list[str], list[int]]:
    """Returns a paragraph's words, and where in it each begins."""
    matches = list(_WORD.finditer(text))
    return [match[0] for match in matches], [m.start() for m in matches]


def read_training_examples(
    path: str,
    version_2_with_negative: bool,
    answer_offsets: str = character_offsets.WORDS,
    train_on_answer: str = "error",
) -> TrainingExamples:
    """Reads questions with an answer to learn.

    A question whose answer is not found at its place (a few of the published
    ones) is left out with a warning.

    Args:
        path: a JSON file; with a scheme (`gs://`) it is read through
            TensorFlow.
        version_2_with_negative: whether `is_impossible` may mark a question
            as one without an answer.
        answer_offsets: what answers are counted in, "words" or "characters".
        train_on_answer: which of several answers to take: "first" or
            "longest"; "error": several are an error.

    Raises:
        UserError: the file cannot be read or is not as told above, a question
            has no answer, or several where that is an error, or no question
            is left.
    """
    found = training_questions(
        path, version_2_with_negative, answer_offsets, train_on_answer
    )
    if found.num_left_out and not found.examples:
        raise UserError(
            f"{path}: expected answers at their answer_start (characters of "
            "the context, from 0). Received: other texts there, for all "
            f"{found.num_left_out} of its answers; see the warnings above."
        )
    _some(found.examples, path)
    return found


def training_questions(
    path: str,
    version_2_with_negative: bool,
    answer_offsets: str = character_offsets.WORDS,
    train_on_answer: str = "error",
) -> TrainingExamples:
    """Does what `read_training_examples` does; no question may be left."""
    examples = []
    num_left_out = num_several = 0
    for paragraph in _paragraphs(path):
        for qa in paragraph.qas:
            make = _maker(paragraph, qa, answer_offsets)
            if version_2_with_negative and _is_impossible(qa.node):
                examples.append(make(orig_answer_text="", **_NO_ANSWER))
                continue
            given = _answers_to_learn(
                qa.node, version_2_with_negative, train_on_answer
            )
            num_several += len(given) > 1
            text, start = _text_and_start(
                paragraph, _choose(given, train_on_answer)
            )
            place = _place_of_answer(
                paragraph, qa.node, text, start, answer_offsets
            )
            if place:
                examples.append(make(orig_answer_text=text, **place))
            else:
                num_left_out += 1
    num_questions = len(examples) + num_left_out
    if num_several:
        logging.warning(
            "%s: %d of %d questions have several answers; of each the %s one "
            "is learned.",
            path,
            num_several,
            num_questions,
            train_on_answer,
        )
    if num_left_out and examples:
        logging.warning(
            "%s: %d of %d questions left out, since their answers were not "
            "found.",
            path,
            num_left_out,
            num_questions,
        )
    return TrainingExamples(examples, num_left_out)


def read_prediction_examples(
    path: str,
    *,
    with_answers: bool,
    version_2_with_negative: bool,
    answer_offsets: str = character_offsets.WORDS,
) -> list[SquadExample]:
    """Reads questions to be answered.

    Args:
        path: see `read_training_examples`.
        with_answers: whether the right answers are needed, for an evaluation;
            else they are not looked at.
        version_2_with_negative: whether a question may have no answer.
        answer_offsets: see `read_training_examples`.

    Raises:
        UserError: the file cannot be read or is not as told above, or it
            lacks answers.
    """
    questions = [
        _maker(paragraph, qa, answer_offsets)(
            **_gold_answers(paragraph, qa.node, version_2_with_negative)
            if with_answers
            else {},
        )
        for paragraph in _paragraphs(path)
        for qa in paragraph.qas
    ]
    return _some(questions, path)


def questions_to_answer(path: str) -> list[SquadExample]:
    """Reads questions, which may be none; answers are not looked at."""
    return [
        _maker(paragraph, qa, character_offsets.WORDS)()
        for paragraph in _paragraphs(path)
        for qa in paragraph.qas
    ]


class _Question(NamedTuple):
    """A question; `node` is its object."""

    node: Node
    id: str
    question: str


class _Paragraph(NamedTuple):
    """A paragraph: its text, its words, and where in the text each begins."""

    context: str
    words: list[str]
    word_starts: list[int]
    qas: list[_Question]

    def word_at(self, char: int) -> int:
        """Returns the word that a character is in, or that it follows."""
        return bisect.bisect_right(self.word_starts, char) - 1


def _paragraphs(path: str) -> Iterator[_Paragraph]:
    """Yields the file's paragraphs in order; ids are unique over all."""
    seen: dict[str, str] = {}
    root = json_node.read(path).check(dict)
    for article in root.child("data", list).items(dict):
        for node in article.child("paragraphs", list).items(dict):
            context = node.child("context", str).value
            yield _Paragraph(
                context,
                *words_of(context),
                [
                    _question(qa, seen)
                    for qa in node.child("qas", list).items(dict)
                ],
            )


def _question(node: Node, seen: dict[str, str]) -> _Question:
    """Reads what all questions have; `seen` maps ids to their places."""
    # The original takes numbers, too: they become strings in its results.
    number = isinstance(node.value.get("id"), int)
    qas_id = str(node.child("id", int if number else str).value)
    if qas_id in seen:
        raise node.fault(
            "expected an id of its own for each question",
            f'"{qas_id}", which {seen[qas_id]} has, too',
        )
    seen[qas_id] = node.place
    named = node._replace(place=f'{node.place} (id "{qas_id}")')
    question = named.child("question", str).value
    return _Question(named, qas_id, question)


def _maker(
    paragraph: _Paragraph, qa: _Question, answer_offsets: str
) -> Callable[..., SquadExample]:
    """Returns what makes a question, but for its answer."""
    in_characters = answer_offsets == character_offsets.CHARACTERS
    return functools.partial(
        SquadExample,
        qas_id=qa.id,
        question_text=qa.question,
        doc_tokens=paragraph.words,
        word_starts=paragraph.word_starts,
        context=paragraph.context if in_characters else None,
    )


# What a question without an answer has in place of one to learn.
_NO_ANSWER = {"start_position": -1, "end_position": -1, "is_impossible": True}


def _is_impossible(node: Node) -> bool:
    # A file of v1.1 is one of v2.0, too, in which all questions have answers.
    return (
        "is_impossible" in node.value
        and node.child("is_impossible", bool).value
    )


def _place_of_answer(
    paragraph: _Paragraph,
    node: Node,
    text: str,
    first_char: int,
    answer_offsets: str,
) -> dict[str, Any] | None:
    """Returns a `SquadExample`'s place of an answer; warns if it is not there.

    Args:
        paragraph: the paragraph.
        node: the question.
        text: the answer.
        first_char: where it is said to begin.
        answer_offsets: see `read_training_examples`.
    """
    # -1 in spaces before the first word: the original finds nothing there.
    start = paragraph.word_at(first_char)
    end_char = first_char + len(text)
    end = paragraph.word_at(end_char - 1)
    place = character_offsets.answer_range(paragraph.context, text, first_char)
    advice, where = "the question is left out", "characters"
    if answer_offsets == character_offsets.CHARACTERS:
        found, wanted = paragraph.context[first_char:end_char], text
        is_found = place is not None
    else:
        # Word by word, since an answer may begin or end inside a word.
        words = paragraph.words[start : end + 1] if start >= 0 else []
        found, wanted = " ".join(words), " ".join(text.split())
        where = "the words of characters"
        is_found = wanted in found
        if not is_found:
            logging.warning(
                "Could not find answer: '%s' vs. '%s'",
                found.translate(_ESCAPES),
                wanted.translate(_ESCAPES),
            )
        if place:
            advice += " (--answer_offsets=characters finds it)"
    if not is_found:
        # As repr, since texts may differ in kinds of spaces alone.
        expected = (
            f"expected the answer {wanted!r} in {where} {first_char} to "
            f"{end_char} of the context"
        )
        fault = node.fault(expected, repr(found), advice)
        logging.warning("%s", fault)
        return None
    return {
        "start_position": max(start, 0),
        "end_position": end,
        "answer_range": place,
    }


def _answers_to_learn(
    node: Node, version_2_with_negative: bool, train_on_answer: str
) -> list[Node]:
    """Returns a question's answers, at least one."""
    answers = list(node.child("answers", list).items(dict))
    if len(answers) == 1 or (answers and train_on_answer != "error"):
        return answers
    advice = (
        "keep one of them in a training file, or say which one is learned "
        "(--train_on_answer=first)"
    )
    if not answers and version_2_with_negative:
        advice = 'mark a question without an answer "is_impossible": true'
    elif not answers:
        advice = (
            "for a file that has questions without an answer (SQuAD v2.0), "
            "pass --version_2_with_negative"
        )
    raise node.fault(
        "For training, each question should have exactly 1 answer",
        str(len(answers)),
        advice,
    )


def _choose(answers: Sequence[Node], train_on_answer: str) -> Node:
    """Returns the answer to learn; of equally long ones the first."""
    if train_on_answer == "longest":
        return max(answers, key=lambda node: len(node.child("text", str).value))
    return answers[0]


def _text_and_start(paragraph: _Paragraph, answer: Node) -> tuple[str, int]:
    """Returns an answer's text and its first character, checked."""
    text = answer.child("text", str)
    if not text.value.strip():
        raise text.fault("expected the answer's text", repr(text.value))
    start = answer.child("answer_start", int)
    last = len(paragraph.context) - len(text.value)
    if not 0 <= start.value <= last:
        raise start.fault(
            f"expected the answer inside its context of "
            f"{len(paragraph.context)} characters, so a number from 0 to "
            f"{max(last, 0)}",
            f"{start.value}, for the answer {rows.shorten(text.value)}",
        )
    return text.value, start.value


def _gold_answers(
    paragraph: _Paragraph, node: Node, version_2_with_negative: bool
) -> dict[str, Any]:
    """Returns a `SquadExample`'s right answers, and where they stand."""
    if "answers" not in node.value:
        raise node.fault(
            'expected "answers", which an evaluation needs',
            f"the keys {rows.some(list(node.value))}",
            "a file without answers can be predicted (--do_predict), but not "
            "evaluated",
        )
    answers = list(node.child("answers", list).items(dict))
    if not answers and not version_2_with_negative:
        raise node.fault(
            "expected at least one answer, which an evaluation needs",
            "none",
            "for a file that has questions without an answer (SQuAD v2.0), "
            "pass --version_2_with_negative",
        )
    texts = tuple(answer.child("text", str).value for answer in answers)
    # An evaluation compares texts: it needs no places, nor right ones.
    starts = [answer.value.get("answer_start") for answer in answers]
    ranges = tuple(
        character_offsets.answer_range(paragraph.context, text, start)
        if isinstance(start, int)
        else None
        for text, start in zip(texts, starts, strict=True)
    )
    return {"answers": texts, "answer_ranges": ranges}


def _some(examples: list[SquadExample], path: str) -> list[SquadExample]:
    if not examples:
        raise UserError(
            f"{path}: expected questions (data[...].paragraphs[...].qas). "
            "Received: none."
        )
    return examples
