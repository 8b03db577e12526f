"""The questions and features of the original's run_squad.py."""

from collections.abc import Mapping, Sequence


class SquadExample:
    """A question about a paragraph.

    Args:
        qas_id: the question's id.
        question_text: the question.
        doc_tokens: the paragraph's words.
        orig_answer_text: the answer to learn; None in prediction.
        start_position: its first word.
        end_position: its last word.
        is_impossible: whether there is none.
    """

    def __init__(
        self,
        qas_id: str,
        question_text: str,
        doc_tokens: Sequence[str],
        orig_answer_text: str | None = None,
        start_position: int | None = None,
        end_position: int | None = None,
        is_impossible: bool = False,
    ) -> None:
        self.qas_id = qas_id
        self.question_text = question_text
        self.doc_tokens = doc_tokens
        self.orig_answer_text = orig_answer_text
        self.start_position = start_position
        self.end_position = end_position
        self.is_impossible = is_impossible

    def __repr__(self) -> str:
        text = (
            f"qas_id: {self.qas_id}, question_text: {self.question_text}, "
            f"doc_tokens: [{' '.join(self.doc_tokens)}]"
        )
        if self.start_position:
            text += (
                f", start_position: {self.start_position}, end_position: "
                f"{self.end_position}, is_impossible: {self.is_impossible}"
            )
        return text


class InputFeatures:
    """What a record is made of: a question and a window of its paragraph.

    Args:
        unique_id: of the window.
        example_index: the question's number.
        doc_span_index: the window's number among those of its question.
        tokens: not padded.
        token_to_orig_map: by place in tokens, the word of the paragraph.
        token_is_max_context: by place, whether no other window has more
            context for it.
        input_ids: S ints.
        input_mask: S ints.
        segment_ids: S ints.
        start_position: the answer's place in tokens; None in prediction.
        end_position: likewise.
        is_impossible: whether there is none.
    """

    def __init__(
        self,
        unique_id: int,
        example_index: int,
        doc_span_index: int,
        tokens: Sequence[str],
        token_to_orig_map: Mapping[int, int],
        token_is_max_context: Mapping[int, bool],
        input_ids: Sequence[int],
        input_mask: Sequence[int],
        segment_ids: Sequence[int],
        start_position: int | None = None,
        end_position: int | None = None,
        is_impossible: bool | None = None,
    ) -> None:
        self.unique_id = unique_id
        self.example_index = example_index
        self.doc_span_index = doc_span_index
        self.tokens = tokens
        self.token_to_orig_map = token_to_orig_map
        self.token_is_max_context = token_is_max_context
        self.input_ids = input_ids
        self.input_mask = input_mask
        self.segment_ids = segment_ids
        self.start_position = start_position
        self.end_position = end_position
        self.is_impossible = is_impossible
