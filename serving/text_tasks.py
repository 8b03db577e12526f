"""Tasks that say something of a whole text, or of a pair: one sequence each."""

from bert.data.records import packing
from bert.serving.prediction_task import (
    Asked,
    PredictionTask,
    fields_of,
    numbers_of,
)
from bert.serving.request_errors import UnfitError, check_finite
from bert.tasks.classification import kinds
from bert.tasks.features import features_text


class _TextTask(PredictionTask):
    """Tasks of a text or a pair of texts, in one sequence."""

    def request(self, value):
        texts = fields_of(
            value, ("text", "text_pair"), "a text or a pair of texts"
        )
        text_b = texts[1] if len(texts) == 2 else None
        if text_b and self.model.config.type_vocab_size < 2:
            raise UnfitError(
                "one text, as the model's type_vocab_size is 1, found two"
            )
        return features_text.Line(texts[0], text_b)

    def ask(self, requests):
        tokenizer = self.model.tokenizer
        special = packing.SpecialIds.from_vocab(tokenizer.vocab)
        length = self.model.task.max_seq_length
        for line in requests:
            packed = features_text.pack_line(
                line, tokenizer.encode, special, length
            )
            yield Asked(packed, [packed])


class Classification(_TextTask):
    """Labels, or a number, of texts."""

    def answer(self, request, outputs):
        """Returns the label or labels and all probabilities, or the score."""
        kind = self.model.task.kind
        if kind == "regression":
            return {"score": numbers_of(outputs[0]["scores"])[0]}
        values = outputs[0]["probabilities"]
        probabilities = dict(
            zip(self.model.labels, numbers_of(values), strict=True)
        )
        label = kinds.find(kind).prediction(self.model.labels, values)
        name = "labels" if kind == "multi_label" else "label"
        return {name: label, "probabilities": probabilities}


class Features(_TextTask):
    """Vectors of texts and of their tokens."""

    window_batches = 4

    def answer(self, request, outputs):
        """Returns the tokens and their vectors, float32 arrays."""
        length = len(request.ids)
        tokens = self.model.tokenizer.convert_ids_to_tokens(request.ids)
        found = {
            "sequence_output": outputs[0]["sequence_output"][:length].copy()
        }
        if "pooled_output" in outputs[0]:
            found["pooled_output"] = outputs[0]["pooled_output"].copy()
        for values in found.values():
            check_finite(values)
        return {"tokens": tokens, **found}
