"""TensorFlow Model Garden (tf-models-official), as its users run it.

BertClassifier on BertEncoder with compile, its own optimizer (create_optimizer,
"adamw": decay 0.01, clipping to norm 1) and train_on_batch; predict_on_batch
for a forward pass. It stands on Keras 2 (TF_USE_LEGACY_KERAS=1).
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import sizes
import tensorflow as tf
import worker
from official.nlp import optimization
from official.nlp.modeling import models, networks


def make_model(cell):
    """Returns a cell's classifier, compiled."""
    if cell["head"] != "classifier":
        raise ValueError("only its classifier is measured")
    model = sizes.model(cell["model"])
    tf.keras.utils.set_random_seed(1)
    encoder = networks.BertEncoder(
        vocab_size=sizes.VOCAB_SIZE,
        hidden_size=model.units,
        num_layers=model.layers,
        num_attention_heads=model.heads,
        inner_dim=model.intermediate,
        output_dropout=0.1,
        attention_dropout=0.1,
        max_sequence_length=512,
    )
    classifier = models.BertClassifier(encoder, num_classes=sizes.NUM_LABELS)
    classifier.compile(
        optimizer=optimization.create_optimizer(
            5e-5, 10**6, 10**5, optimizer_type="adamw"
        ),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return classifier


def make_inputs(batch):
    """Returns a batch by the model's names."""
    return {
        "input_word_ids": batch["input_ids"],
        "input_mask": batch["input_mask"],
        "input_type_ids": batch["segment_ids"],
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


WORKS = {"train_step": train_step, "forward": forward}

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow", "tf-keras", "tf-models-official"))
