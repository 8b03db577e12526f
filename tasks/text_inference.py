"""Requests of a text or a pair of texts, which are one sequence each."""

from typing import Any

from bert.tasks.features.features_text import Line, split_line
from bert.tasks.inference import Asked, Inference, RawTexts
from bert.tasks.requests import UnfitError, texts_of


class TextInference(Inference):
    """The base of tasks whose request is a text or a pair of texts.

    `answer` gets the first sequence as its request.
    """

    @property
    def _why_single(self) -> str | None:
        """Why the model takes no pairs; None: it does."""
        if self.config.type_vocab_size < 2:
            return "the model's type_vocab_size is 1"
        if not self.task.long_texts.takes_pairs:
            return (
                "the model was trained with --truncation="
                f"{self.task.long_texts.truncation}"
            )
        return None

    def about(self) -> dict[str, Any]:
        """Returns also whether a second text may be asked."""
        names = ("text", "text_pair")
        return {"asks": list(names if self._why_single is None else names[:1])}

    def request(self, value: object) -> Line:
        """Returns the text or texts."""
        texts = texts_of(
            value, ("text", "text_pair"), "a text or a pair of texts"
        )
        text_b = texts[1] if len(texts) == 2 else None
        if text_b and self._why_single:
            raise UnfitError(f"one text, as {self._why_single}, found two")
        return Line(texts[0], text_b)

    def request_of_line(self, line: str) -> Line:
        """Returns the text or texts of a line, `text ||| text`."""
        text_a, text_b = split_line(line)
        return self.request(text_a if text_b is None else (text_a, text_b))

    def ask(self, request: Line) -> Asked:
        """Returns the sequences, cut to the task's max_seq_length."""
        cut = self.task.long_texts
        rows = cut.pack(
            *request,
            self.tokenizer.encode,
            self.special,
            self.task.max_seq_length,
        )[: cut.max_windows]
        return Asked(rows[0], rows)

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns single texts, and pairs where the model takes them."""
        single = super().raw_strings()
        if self._why_single:
            return single
        return {**single, "pairs": RawTexts(("text", "text_pair"))}
