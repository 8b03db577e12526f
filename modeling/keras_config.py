"""What Keras writes of a model beside its weights, in `.keras` files."""

from collections.abc import Mapping
from typing import Any, Self

import keras

from bert.modeling.config import BertConfig


class KerasConfig:
    """Layers that Keras can make again: mixed into all models.

    Their first argument is a `BertConfig`.
    """

    def arguments(self) -> dict[str, Any]:
        """Returns the arguments of `__init__` by name."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` makes the model of, as JSON has it."""
        arguments = self.arguments()
        trainable = [layer.trainable for layer in _layers(self)]
        return {
            **arguments,
            "config": arguments["config"].to_dict(),
            "frozen_layers": [i for i, on in enumerate(trainable) if not on],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a model, with start weights.

        Args:
            config: what `get_config` returns.
        """
        arguments = {**config, "config": BertConfig.from_dict(config["config"])}
        frozen = arguments.pop("frozen_layers")
        model = cls(**arguments)
        for index, layer in enumerate(_layers(model)):
            layer.trainable = index not in frozen
        return model


def _layers(model: Any) -> list[keras.layers.Layer]:
    """Returns a model and all layers in it, each before those in it."""
    return model._flatten_layers()
