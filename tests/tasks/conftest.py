"""What the tests of the tasks' `inference` modules share."""

import pytest

from bert.data.text.tokenization import FullTokenizer
from tests.tasks import models


@pytest.fixture
def task(request, golden):
    """The `Inference` of the test module's NAME, which can be asked."""
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt", True)
    return models.make(request.module.NAME, tokenizer)
