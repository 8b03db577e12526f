"""How long a run trains."""

from typing import NamedTuple

from bert.errors import UserError


class Length(NamedTuple):
    """How long to train.

    Attributes:
        num_train_steps: the step at which training ends.
        num_warmup_steps: steps in which the learning rate rises from 0.
        flag: the flag that makes training longer; for messages.
    """

    num_train_steps: int
    num_warmup_steps: int
    flag: str = "num_train_steps"

    def check(self, train_batch_size: int) -> None:
        """Raises UserError where there is no step."""
        if self.num_train_steps < 1:
            raise UserError(
                f"Nothing to train: --{self.flag} gives "
                f"{self.num_train_steps} steps of --train_batch_size="
                f"{train_batch_size}; raise the one or lower the other."
            )
