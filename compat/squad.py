"""What run_squad.py of the original has for code that imports it.

Values of flags are arguments here; run_squad.py fills them in.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from bert.compat import input_fns, sequences
from bert.compat.squad_records import FeatureWriter as FeatureWriter
from bert.compat.squad_types import InputFeatures, SquadExample
from bert.data.records import packing
from bert.tasks.squad import answers, predictions, windows
from bert.tasks.squad import examples as own_examples
from bert.tasks.squad.answers import AnswerSettings as AnswerSettings
from bert.tasks.squad.predictions import Paths as Paths

# Whose features are logged.
_LOGGED_EXAMPLES = 20


class RawResult(NamedTuple):
    """What the model makes of a window.

    Attributes:
        unique_id: the window's.
        start_logits: S floats.
        end_logits: S floats.
    """

    unique_id: int
    start_logits: Sequence[float]
    end_logits: Sequence[float]


class _Span(Protocol):
    @property
    def start(self) -> int: ...

    @property
    def length(self) -> int: ...


def read_squad_examples(
    input_file: str, is_training: bool, version_2_with_negative: bool
) -> list[SquadExample]:
    """Reads a file of questions.

    Args:
        input_file: in SQuAD's format.
        is_training: whether each has an answer to learn; else answers are not
            looked at.
        version_2_with_negative: whether questions may have no answer.

    Raises:
        UserError: see `tasks.squad.examples`.
    """
    if is_training:
        found = own_examples.training_questions(
            input_file, version_2_with_negative
        ).examples
    else:
        found = own_examples.questions_to_answer(input_file)
    return [
        SquadExample(
            example.qas_id,
            example.question_text,
            example.doc_tokens,
            example.orig_answer_text,
            example.start_position,
            example.end_position,
            example.is_impossible,
        )
        for example in found
    ]


class _PiecesAsIds:
    """Any tokenizer, whose pieces stand for their ids."""

    vocab: ClassVar = {token: token for token in sequences.SPECIAL_TOKENS}

    def __init__(self, tokenizer: Any) -> None:
        self.tokenize = tokenizer.tokenize

    def encode_words(self, words: Sequence[str]) -> list[Sequence[str]]:
        return [self.tokenize(word) for word in words]

    def convert_ids_to_tokens(self, pieces: Sequence[str]) -> Sequence[str]:
        return pieces

    def convert_tokens_to_ids(self, pieces: Sequence[str]) -> Sequence[str]:
        return pieces


def convert_examples_to_features(
    examples: Sequence[SquadExample],
    tokenizer: Any,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    is_training: bool,
    output_fn: Callable[[InputFeatures], Any],
) -> None:
    """Gives the features of each window to output_fn; logs 20 examples.

    Args:
        examples: the questions.
        tokenizer: has `tokenize` and `convert_tokens_to_ids`.
        max_seq_length: S.
        doc_stride: see `WindowSettings`; at least 1.
        max_query_length: see `WindowSettings`; less than S - 3.
        is_training: whether the features have the answer's positions.
        output_fn: takes the features of a window.
    """
    cutter: Any = _PiecesAsIds(tokenizer)
    settings = windows.WindowSettings(
        max_seq_length, doc_stride, max_query_length
    )
    questions = (_question(example, is_training) for example in examples)
    for window in windows.windows(questions, cutter, settings):
        packed = windows.pack(window, cutter)
        ids = list(tokenizer.convert_tokens_to_ids(packed.ids))
        values = packing.pad(packed._replace(ids=ids), max_seq_length)
        if window.example_index < _LOGGED_EXAMPLES:
            windows.log_window(window, values)
        output_fn(
            InputFeatures(
                unique_id=window.unique_id,
                example_index=window.example_index,
                doc_span_index=window.doc_span_index,
                tokens=window.tokens,
                token_to_orig_map={
                    place: window.word_at(place) for place in window.positions
                },
                token_is_max_context={
                    place: window.is_max_context(place)
                    for place in window.positions
                },
                **values,
                start_position=window.start_position,
                end_position=window.end_position,
                is_impossible=window.is_impossible,
            )
        )


def _question(
    example: SquadExample, is_training: bool
) -> own_examples.SquadExample:
    question = own_examples.SquadExample(
        example.qas_id,
        example.question_text,
        example.doc_tokens,
        is_impossible=example.is_impossible,
    )
    if not is_training:
        return question
    return dataclasses.replace(
        question,
        orig_answer_text=example.orig_answer_text,
        start_position=example.start_position,
        end_position=example.end_position,
    )


def improve_answer_span(
    doc_tokens: Sequence[str],
    input_start: int,
    input_end: int,
    tokenizer: Any,
    orig_answer_text: str,
) -> tuple[int, int]:
    """Returns where an answer's pieces stand: `windows.improve_answer_span`."""
    answer = list(tokenizer.tokenize(orig_answer_text))
    return windows.improve_answer_span(
        list(doc_tokens), input_start, input_end, answer
    )


def check_is_max_context(
    doc_spans: Sequence[_Span], cur_span_index: int, position: int
) -> bool:
    """Whether no other span has more context for a piece; of equals the first.

    Args:
        doc_spans: spans of pieces.
        cur_span_index: one of them.
        position: the piece.
    """
    scores = {
        index: windows.context_score(position - span.start, span.length)
        for index, span in enumerate(doc_spans)
        if span.start <= position < span.start + span.length
    }
    return max(scores, key=scores.__getitem__, default=None) == cur_span_index


def get_best_indexes(logits: Sequence[float], n_best_size: int) -> list[int]:
    """Returns the places of the highest logits; of equals the first."""
    import numpy as np

    best = answers.best_logits(np.asarray(logits, float), n_best_size)
    return [place for place, _ in best]


def write_predictions(
    all_examples: Sequence[SquadExample],
    all_features: Sequence[InputFeatures],
    all_results: Sequence[RawResult],
    settings: answers.AnswerSettings,
    paths: predictions.Paths,
    null_score_diff_threshold: float,
) -> None:
    """Writes the answers to questions; see `tasks.squad.predictions`.

    Args:
        all_examples: the questions.
        all_features: the features of their windows.
        all_results: what the model makes of the windows, in any order.
        settings: how to choose.
        paths: where to write.
        null_score_diff_threshold: see `Answer.prediction`.

    Raises:
        KeyError: a window has no result.
    """
    import numpy as np

    result_of = {result.unique_id: result for result in all_results}
    features_of: dict[int, list[InputFeatures]] = {}
    for features in all_features:
        features_of.setdefault(features.example_index, []).append(features)

    def results(features: InputFeatures) -> answers.RawResult:
        result = result_of[features.unique_id]
        logits = (np.asarray(row) for row in result[1:])
        return answers.RawResult(result.unique_id, *logits)

    found = (
        answers.answer(
            _question(example, False),
            [(_window(f), results(f)) for f in features_of.get(number, ())],
            settings,
        )
        for number, example in enumerate(all_examples)
    )
    ids = (example.qas_id for example in all_examples)
    predictions.write_files(
        paths, zip(ids, found, strict=True), null_score_diff_threshold
    )


def _window(features: InputFeatures) -> windows.Window:
    """Returns the window that features are of: all of its document."""
    words = features.token_to_orig_map
    first = min(words, default=2)
    return windows.Window(
        unique_id=features.unique_id,
        example_index=features.example_index,
        doc_span_index=0,
        query=features.tokens[1 : first - 1],
        document=windows.Document(
            pieces=features.tokens[first : first + len(words)],
            ids=(),
            word_of_piece=list(words.values()),
            first_piece=(),
        ),
        start=0,
        length=len(words),
        widest=[
            0 if features.token_is_max_context.get(place, False) else 1
            for place in words
        ],
        start_position=None,
        end_position=None,
        is_impossible=False,
    )


def input_fn_builder(
    input_file: str, seq_length: int, is_training: bool, drop_remainder: bool
) -> input_fns.InputFn:
    """Returns the `input_fn` of a file; see `input_fns.of_file`."""
    answer = ("start_positions", "end_positions") if is_training else ()
    return input_fns.of_file(
        input_file,
        seq_length,
        ("unique_ids", *answer),
        is_training,
        drop_remainder,
    )
