"""What a user says of a trained model. Imports without TensorFlow."""

import dataclasses

from bert.errors import UserError

# auto: bfloat16 where it was found to give the same answers.
PRECISIONS = ("float32", "bfloat16", "auto")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """What a user says of a model; None: what its folder says.

    A script whose flags have these names makes its configuration one of these.

    Attributes:
        checkpoint: "best", "newest", a global step or a prefix.
        task: one of `tasks.spec.TASKS`.
        bert_config_file: a file.
        vocab_file: a file.
        do_lower_case: see `task_files.Task`.
        max_seq_length: see `task_files.Task`.
        labels: names separated by commas, or a file with one a line.
        runtime: what computes the model, one of `formats.CHOICES`.
        precision: of its matrix products, one of `PRECISIONS`.
    """

    checkpoint: str | int | None = None
    task: str | None = None
    bert_config_file: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool | None = None
    max_seq_length: int | None = None
    labels: str | None = None
    runtime: str | None = None
    precision: str | None = None

    def flags(self) -> dict[str, str]:
        """Returns what is said of the model itself, as `--name` → value."""
        values = {f.name: getattr(self, f.name) for f in _FIELDS}
        return {
            f"--{name}": str(value)
            for name, value in values.items()
            if value is not None
        }

    def check_left_out(self, path: str, what: str) -> None:
        """Raises UserError where something is said of a model that knows it.

        Args:
            path: the model's.
            what: kind of folder it is.
        """
        for flag, value in self.flags().items():
            raise UserError(
                f"{flag} is for folders of checkpoints; {path} is {what}, "
                f"which knows it. Received: {flag}={value}; leave it out."
            )


_FIELDS = [
    field
    for field in dataclasses.fields(Given)
    if field.name not in ("runtime", "precision")
]
