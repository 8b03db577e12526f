"""The configuration of extract_features.py: its flags, checked together.

Imports without TensorFlow.
"""

import dataclasses

from bert.cli.config import DeviceConfig
from bert.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(DeviceConfig):
    """The values of a run's flags, by their names; checked together."""

    input_file: str
    output_file: str
    vocab_file: str
    bert_config_file: str
    init_checkpoint: str
    layers: str
    pooling: str | None
    attention_file: str | None
    projector_dir: str | None
    do_lower_case: bool
    max_seq_length: int
    batch_size: int

    def __post_init__(self):
        layers = self.layer_indices
        if self.attention_file is not None and not _is_npz(self.attention_file):
            raise UserError(
                "--attention_file must be a name that ends in .npz. Received: "
                f"{self.attention_file!r}."
            )
        if self.projector_dir == "":
            raise UserError("--projector_dir must name a folder. Received: ''.")
        for name in ("output_file", "attention_file", "projector_dir"):
            path = getattr(self, name) or ""
            is_folder = name == "projector_dir"
            if "://" in path and (is_folder or _is_npz(path)):
                kind = "The projector's folder" if is_folder else "A .npz file"
                raise UserError(
                    f"{kind} can only be written to a local path. Received: "
                    f"--{name}={path}; copy it there afterwards."
                )
        named = [
            *["a .npz file"] * _is_npz(self.output_file),
            *["--projector_dir"] * bool(self.projector_dir),
        ]
        if named and len(set(layers)) < len(layers):
            raise UserError(
                f"--layers must be different ones for {named[0]}, whose "
                f"arrays they name. Received: {self.layers}."
            )

    @property
    def layer_indices(self) -> list[int]:
        """The numbers in --layers."""
        try:
            return [int(index) for index in self.layers.split(",")]
        except ValueError as error:
            raise UserError(
                "--layers must be whole numbers, separated by commas, such as "
                f"-1,-2. Received: {self.layers!r}."
            ) from error

    @property
    def written(self) -> list[str]:
        """What is written."""
        paths = (self.output_file, self.attention_file, self.projector_dir)
        return [path for path in paths if path]

    def check_layers(self, num_layers: int) -> None:
        """Raises UserError where the model lacks one of the layers."""
        for index in self.layer_indices:
            if not -num_layers <= index < num_layers:
                raise UserError(
                    f"--layers must be from {-num_layers} to {num_layers - 1}: "
                    f"{self.bert_config_file} has {num_layers} layers. "
                    f"Received: {index}."
                )


def _is_npz(path: str) -> bool:
    return path.endswith(".npz")
