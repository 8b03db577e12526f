"""Requests of a text or a pair of texts, which are one sequence each."""

from typing import Any

from bert.data.records import packing
from bert.tasks.features.features_text import Line, split_line
from bert.tasks.inference import Asked, Inference, RawTexts
from bert.tasks.requests import UnfitError, texts_of


class TextInference(Inference):
    """The base of tasks whose request is a text or a pair of texts.

    `answer` gets the sequence as its request.
    """

    def about(self) -> dict[str, Any]:
        """Returns also whether a second text may be asked."""
        names = ("text", "text_pair")[: self.config.type_vocab_size]
        return {"asks": list(names)}

    def request(self, value: object) -> Line:
        """Returns the text or texts."""
        texts = texts_of(
            value, ("text", "text_pair"), "a text or a pair of texts"
        )
        text_b = texts[1] if len(texts) == 2 else None
        if text_b and self.config.type_vocab_size < 2:
            raise UnfitError(
                "one text, as the model's type_vocab_size is 1, found two"
            )
        return Line(texts[0], text_b)

    def request_of_line(self, line: str) -> Line:
        """Returns the text or texts of a line, `text ||| text`."""
        text_a, text_b = split_line(line)
        return self.request(text_a if text_b is None else (text_a, text_b))

    def ask(self, request: Line) -> Asked:
        """Returns the one sequence, cut to the task's max_seq_length."""
        packed = packing.pack_texts(
            *request,
            self.tokenizer.encode,
            self.special,
            self.task.max_seq_length,
        )
        return Asked(packed, [packed])

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns single texts, and pairs where a model has two segments."""
        single = super().raw_strings()
        if self.config.type_vocab_size < 2:
            return single
        return {**single, "pairs": RawTexts(("text", "text_pair"))}
