"""KerasHub on TensorFlow, as its users run it.

BertTextClassifier with compile, AdamW (weight decay 0.01, global clip norm 1)
and train_on_batch; predict_on_batch for a forward pass and a text. Keras
chooses whether to compile by XLA (jit_compile="auto"; on a CPU it does not).
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import keras_hub
import keras_jobs
import sizes
import worker


def make_backbone(cell):
    """Returns a cell's encoder with random weights."""
    model = sizes.model(cell["model"])
    return keras_hub.models.BertBackbone(
        **model.named(
            "vocabulary_size",
            "hidden_dim",
            "num_layers",
            "num_heads",
            "intermediate_dim",
        ),
        dropout=0.1,
    )


def make_model(cell):
    """Returns a cell's classifier, compiled."""
    if cell["head"] != "classifier":
        raise ValueError("it has no model with both heads of pre-training")
    keras.utils.set_random_seed(1)
    model = keras_hub.models.BertTextClassifier(
        backbone=make_backbone(cell),
        num_classes=sizes.NUM_LABELS,
        preprocessor=None,
    )
    optimizer = keras.optimizers.AdamW(
        5e-5, weight_decay=0.01, global_clipnorm=1.0
    )
    return keras_jobs.compiled(model, keras, optimizer)


def make_inputs(batch):
    """Returns a batch by the model's names."""
    return {
        "token_ids": batch["input_ids"],
        "padding_mask": batch["input_mask"],
        "segment_ids": batch["segment_ids"],
    }


def latency(cell):
    """Makes the logits of one text."""
    tokenizer = keras_hub.models.BertTokenizer(
        vocabulary=cell["vocab_file"], lowercase=True
    )
    model = keras_hub.models.BertTextClassifier(
        backbone=make_backbone(cell),
        num_classes=sizes.NUM_LABELS,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=cell["length"]
        ),
    )
    texts = sizes.texts(cell)

    def job(times):
        for _ in range(times):
            # predict([text]) would build its pipeline anew, in seconds.
            model.predict_on_batch([next(texts)])

    return job


WORKS = {**keras_jobs.works(make_model, make_inputs), "latency": latency}

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow", "keras", "keras-hub"))
