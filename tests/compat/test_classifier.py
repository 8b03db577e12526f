from bert import run_classifier
from tests.compat.tokenizers import Words


def test_labels_may_be_anything_and_examples_have_attributes_of_ones_own():
    example = run_classifier.InputExample("g", "a bb", label=7)
    example.mine = "kept"

    (found,) = run_classifier.convert_examples_to_features(
        [example], [3, 7], 5, Words()
    )

    assert found.input_ids == [5, 1, 2, 5, 0]
    assert found.label_id == 1
    assert vars(found).keys() == {
        *("input_ids", "input_mask", "segment_ids", "label_id"),
        "is_real_example",
    }


def test_a_file_is_not_there_before_all_of_it_is(tmp_path):
    path = tmp_path / "x.tf_record"
    bad = run_classifier.InputExample("g", "a", label="no")
    try:
        run_classifier.file_based_convert_examples_to_features(
            [bad], ["yes"], 5, Words(), str(path)
        )
    except KeyError:
        assert list(tmp_path.iterdir()) == []
    else:
        raise AssertionError("no KeyError")
