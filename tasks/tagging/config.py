"""run_ner.py's flags, checked together; imports without TensorFlow."""

import dataclasses

from bert.errors import UserError
from bert.tasks.config import SetsConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(SetsConfig):
    """The values of a run's flags, by their names; checked together."""

    labels: str | None
    token_column: int
    label_column: int

    def __post_init__(self):
        super().__post_init__()
        if self.token_column == self.label_column:
            raise UserError(
                "--token_column and --label_column must differ. Received: "
                f"{self.token_column} for both."
            )
        for name in self.needed_files:
            self.path(name)

    def path(self, name: str) -> str:
        """Returns where a set is; UserError where no flag says so."""
        return self.set_file(name, f"{name}.txt")
