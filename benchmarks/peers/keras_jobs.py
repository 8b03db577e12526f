"""What the contestants whose models are Keras models do alike.

A model is compiled, and trained by train_on_batch; predict_on_batch is a
forward pass.
"""

from collections.abc import Callable, Mapping
from typing import Any

import sizes
import worker


def compiled(model: Any, keras: Any, optimizer: Any) -> Any:
    """Returns a classifier, compiled.

    Args:
        model: the classifier.
        keras: the release of Keras that it is made with.
        optimizer: trains it.
    """
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def works(
    make_model: Callable[[dict[str, Any]], Any],
    make_inputs: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, worker.MakeJob]:
    """Returns the training step and the forward pass, by name.

    Args:
        make_model: returns a cell's classifier, compiled.
        make_inputs: returns a batch of `sizes` by the model's names.
    """

    def train_step(cell):
        model = make_model(cell)
        batch = sizes.make_batch(cell)
        inputs, labels = make_inputs(batch), batch["label_ids"][:, 0]

        def job(times):
            for _ in range(times):
                losses = model.train_on_batch(inputs, labels)
            return {"loss": float(losses[0])}

        return job

    def forward(cell):
        model = make_model(cell)
        inputs = make_inputs(sizes.make_batch(cell))

        def job(times):
            for _ in range(times):
                model.predict_on_batch(inputs)

        return job

    return {"train_step": train_step, "forward": forward}
