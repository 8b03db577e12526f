import pytest

from bert.errors import UserError
from bert.training.length import Length


def test_a_training_of_no_step_is_refused():
    Length(1, 0).check(32)
    message = "--num_train_epochs gives 0 steps of --train_batch_size=32"
    with pytest.raises(UserError, match=message):
        Length(0, 0, "num_train_epochs").check(32)
