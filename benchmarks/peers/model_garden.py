"""TensorFlow Model Garden (tf-models-official), as its users run it.

BertClassifier on BertEncoder with compile, its own optimizer (create_optimizer,
"adamw": decay 0.01, clipping to norm 1) and train_on_batch; predict_on_batch
for a forward pass. It stands on Keras 2 (TF_USE_LEGACY_KERAS=1).
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import keras_jobs
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
        **model.named(
            "vocab_size",
            "hidden_size",
            "num_layers",
            "num_attention_heads",
            "inner_dim",
        ),
        output_dropout=0.1,
        attention_dropout=0.1,
        max_sequence_length=512,
    )
    classifier = models.BertClassifier(encoder, num_classes=sizes.NUM_LABELS)
    optimizer = optimization.create_optimizer(
        5e-5, 10**6, 10**5, optimizer_type="adamw"
    )
    return keras_jobs.compiled(classifier, tf.keras, optimizer)


def make_inputs(batch):
    """Returns a batch by the model's names."""
    return {
        "input_word_ids": batch["input_ids"],
        "input_mask": batch["input_mask"],
        "input_type_ids": batch["segment_ids"],
    }


WORKS = keras_jobs.works(make_model, make_inputs)

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow", "tf-keras", "tf-models-official"))
