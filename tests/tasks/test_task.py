from bert.training.head_check import Start
from tests.tasks.test_finetune import Toy


def test_what_is_kept_with_a_model_is_the_row_of_its_task(config):
    toy = Toy(config())
    toy.read(Start())
    assert toy.num_outputs == 2
    kept = toy.model_task
    assert (kept.task, kept.kind) == ("classification", "classification")
    assert (kept.do_lower_case, kept.max_seq_length) == (True, 16)
    assert kept.options == {}
