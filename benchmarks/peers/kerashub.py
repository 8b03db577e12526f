"""KerasHub on TensorFlow, as its users run it.

BertTextClassifier with compile, AdamW (weight decay 0.01, global clip norm 1)
and train_on_batch; predict_on_batch for a forward pass and a text. Keras
chooses whether to compile by XLA (jit_compile="auto"; on a CPU it does not).
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import keras_hub
import sizes
import worker


def make_backbone(cell):
    """Returns a cell's encoder with random weights."""
    model = sizes.model(cell["model"])
    return keras_hub.models.BertBackbone(
        vocabulary_size=sizes.VOCAB_SIZE,
        num_layers=model.layers,
        num_heads=model.heads,
        hidden_dim=model.units,
        intermediate_dim=model.intermediate,
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
    model.compile(
        optimizer=keras.optimizers.AdamW(
            5e-5, weight_decay=0.01, global_clipnorm=1.0
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def make_inputs(batch):
    """Returns a batch by the model's names."""
    return {
        "token_ids": batch["input_ids"],
        "padding_mask": batch["input_mask"],
        "segment_ids": batch["segment_ids"],
    }


def train_step(cell):
    """Makes a training step."""
    model = make_model(cell)
    batch = sizes.make_batch(cell)
    inputs, labels = make_inputs(batch), batch["label_ids"][:, 0]

    def job(times):
        for _ in range(times):
            losses = model.train_on_batch(inputs, labels)
        return {"loss": float(losses[0])}

    return job


def forward(cell):
    """Makes a forward pass to logits."""
    model = make_model(cell)
    inputs = make_inputs(sizes.make_batch(cell))

    def job(times):
        for _ in range(times):
            model.predict_on_batch(inputs)

    return job


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


WORKS = {"train_step": train_step, "forward": forward, "latency": latency}

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow", "keras", "keras-hub"))
