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
from typing import NamedTuple

from absl import logging

from bert.data.tables import json_node, rows
from bert.data.tables.json_node import Node
from bert.errors import UserError
from bert.tasks.squad import character_offsets

# What separates words; other spaces (U+00A0, ...) stand inside a word.
_WORD = re.compile("[^ \t\r\n\u202f]+")


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
    word_starts: Sequence[int] = ()
    context: str | None = None
    answer_range: tuple[int, int] | None = None


def words_of(text: str) -> list[str]:
    """Returns a paragraph's words: a `SquadExample`'s `doc_tokens`."""
    return _WORD.findall(text)


def read_training_examples(
    path: str,
    version_2_with_negative: bool,
    answer_offsets: str = character_offsets.WORDS,
) -> list[SquadExample]:
    """Reads questions with the one answer that each must have.

    A question whose answer is not found at its place (a few of the published
    ones) is left out with a warning.

    Args:
        path: a JSON file; with a scheme (`gs://`) it is read through
            TensorFlow.
        version_2_with_negative: whether `is_impossible` may mark a question
            as one without an answer.
        answer_offsets: what answers are counted in, "words" or "characters".

    Raises:
        UserError: the file cannot be read or is not as told above, a question
            has not exactly one answer, or no question is left.
    """
    examples = []
    for paragraph in _paragraphs(path):
        for qa in paragraph.qas:
            example = _training_example(
                paragraph, qa, version_2_with_negative, answer_offsets
            )
            if example:
                examples.append(example)
    return _some(examples, path)


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
    return _some(
        [
            _maker(paragraph, qa, answer_offsets)(
                answers=_gold_answers(qa.node, version_2_with_negative)
                if with_answers
                else (),
            )
            for paragraph in _paragraphs(path)
            for qa in paragraph.qas
        ],
        path,
    )


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
            matches = list(_WORD.finditer(context))
            yield _Paragraph(
                context,
                [match[0] for match in matches],
                [match.start() for match in matches],
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


def _training_example(
    paragraph: _Paragraph,
    qa: _Question,
    version_2_with_negative: bool,
    answer_offsets: str,
) -> SquadExample | None:
    """Returns a question with its answer's place, None if it is not there."""
    make_example = _maker(paragraph, qa, answer_offsets)
    # A file of v1.1 is one of v2.0, too, in which all questions have answers.
    if (
        version_2_with_negative
        and "is_impossible" in qa.node.value
        and qa.node.child("is_impossible", bool).value
    ):
        return make_example(
            orig_answer_text="",
            start_position=-1,
            end_position=-1,
            is_impossible=True,
        )
    text, first_char = _one_answer(paragraph, qa.node, version_2_with_negative)
    # -1 in spaces before the first word: the original finds nothing there.
    start = paragraph.word_at(first_char)
    end = paragraph.word_at(first_char + len(text) - 1)
    place = character_offsets.answer_range(paragraph.context, text, first_char)
    if answer_offsets == character_offsets.CHARACTERS:
        if place is None:
            last_char = first_char + len(text)
            fault = qa.node.fault(
                f"expected the answer {text!r} in characters {first_char} to "
                f"{last_char} of the context",
                repr(paragraph.context[first_char:last_char]),
                "the question is left out",
            )
            logging.warning("%s", fault)
            return None
        return make_example(
            orig_answer_text=text,
            start_position=max(start, 0),
            end_position=end,
            answer_range=place,
        )
    # Word by word, since an answer may begin or end inside a word.
    words = paragraph.words[start : end + 1] if start >= 0 else []
    found = " ".join(words)
    cleaned = " ".join(text.split())
    if cleaned not in found:
        logging.warning("Could not find answer: '%s' vs. '%s'", found, cleaned)
        return None
    return make_example(
        orig_answer_text=text,
        start_position=start,
        end_position=end,
        answer_range=place,
    )


def _one_answer(
    paragraph: _Paragraph, node: Node, version_2_with_negative: bool
) -> tuple[str, int]:
    """Returns the text and the first character of a question's one answer."""
    answers = list(node.child("answers", list).items(dict))
    if len(answers) != 1:
        advice = "keep one of them in a training file"
        if not answers and version_2_with_negative:
            advice = 'mark a question without an answer "is_impossible": true'
        elif not answers:
            advice = (
                "for a file that has questions without an answer (SQuAD "
                "v2.0), pass --version_2_with_negative"
            )
        raise node.fault(
            "For training, each question should have exactly 1 answer",
            str(len(answers)),
            advice,
        )
    text = answers[0].child("text", str)
    if not text.value.strip():
        raise text.fault("expected the answer's text", repr(text.value))
    start = answers[0].child("answer_start", int)
    last = len(paragraph.context) - len(text.value)
    if not 0 <= start.value <= last:
        raise start.fault(
            f"expected the answer inside its context of "
            f"{len(paragraph.context)} characters, so a number from 0 to "
            f"{max(last, 0)}",
            f"{start.value}, for the answer {rows.shorten(text.value)}",
        )
    return text.value, start.value


def _gold_answers(node: Node, version_2_with_negative: bool) -> tuple[str, ...]:
    if "answers" not in node.value:
        raise node.fault(
            'expected "answers", which an evaluation needs',
            f"the keys {rows.some(list(node.value))}",
            "a file without answers can be predicted (--do_predict), but not "
            "evaluated (--do_eval, --null_score_diff_threshold=auto)",
        )
    answers = tuple(
        answer.child("text", str).value
        for answer in node.child("answers", list).items(dict)
    )
    if not answers and not version_2_with_negative:
        raise node.fault(
            "expected at least one answer, which an evaluation needs",
            "none",
            "for a file that has questions without an answer (SQuAD v2.0), "
            "pass --version_2_with_negative",
        )
    return answers


def _some(examples: list[SquadExample], path: str) -> list[SquadExample]:
    if not examples:
        raise UserError(
            f"{path}: expected questions (data[...].paragraphs[...].qas). "
            "Received: none."
        )
    return examples
