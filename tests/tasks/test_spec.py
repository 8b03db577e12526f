import pytest

from bert.tasks import spec


def test_a_row_is_found_by_task_and_kind():
    for row in spec.SPECS:
        assert spec.find(row.task, row.kind) is row
        assert row.task in spec.TASKS
        assert row.kind in spec.kinds(row.task)
    with pytest.raises(KeyError, match="task 'sing' of kind None"):
        spec.find("sing")
    with pytest.raises(KeyError, match="task 'ner' of kind 'regression'"):
        spec.find("ner", "regression")


def test_a_head_is_weights_behind_a_scope():
    for row in spec.SPECS:
        if row.head:
            assert row.head == f"{row.scope}output_weights"
            assert row.needed_weight == row.head
            assert row.huggingface
            assert row.huggingface_head
        else:
            assert row.scope == ""
    assert spec.find("features").needed_weight is None
    needed = spec.find("pretraining").needed_weight
    assert needed == "cls/predictions/output_bias"


def test_a_kind_is_called_by_its_name_a_task_without_by_its_own():
    assert spec.find("classification", "regression").name == "regression"
    assert spec.find("squad").name == "squad"


def test_of_losses_errors_and_perplexities_less_is_better():
    less = {"eval_loss", "mean_squared_error", "perplexity"}
    figures = {*less, "f1", "eval_accuracy", "unigram_entropy"}
    assert {name for name in figures if spec.less_is_better(name)} == less
