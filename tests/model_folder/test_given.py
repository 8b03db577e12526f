import pytest

from bert.errors import UserError
from bert.model_folder.given import Given


def test_what_is_given_is_named_by_its_flag():
    assert Given().flags() == {}
    given = Given(max_seq_length=8, do_lower_case=False, task="ner")
    assert given.flags() == {
        "--task": "ner",
        "--do_lower_case": "False",
        "--max_seq_length": "8",
    }


def test_what_computes_a_model_is_not_said_of_the_model():
    assert Given(runtime="onnx", precision="auto").flags() == {}
    Given(runtime="onnx").check_left_out("m", "an export")
    with pytest.raises(UserError) as caught:
        Given(task="ner").check_left_out("m", "an export")
    assert str(caught.value) == (
        "--task is for folders of checkpoints; m is an export, which knows "
        "it. Received: --task=ner; leave it out."
    )
