from bert.data.text.tokenization import FullTokenizer
from bert.tasks.multiple_choice import features
from bert.tasks.multiple_choice.examples import ChoiceExample


def test_a_choice_is_a_pair_and_one_that_is_missing_is_padding(golden):
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    own = [ChoiceExample("t-1", "the river", ("the", "", "lake the"), 2)]
    (found,) = features.featurize(own, 4, 8, tokenizer)
    shape = [[found[n][i * 8 : i * 8 + 8] for i in range(4)] for n in found][:3]
    ids, mask, segments = shape
    texts = [
        " ".join(tokenizer.convert_ids_to_tokens([i for i in each if i]))
        for each in ids
    ]
    assert texts == [
        "[CLS] the river [SEP] the [SEP]",
        "",
        "[CLS] the river [SEP] lake the [SEP]",
        "",
    ]
    assert [sum(each) for each in mask] == [6, 0, 7, 0]
    assert segments[2] == [0, 0, 0, 0, 1, 1, 1, 0]
    assert found["label_ids"] == [2]


def test_pairs_are_cut_as_run_classifiers(golden):
    tokenizer = FullTokenizer(golden / "inputs/vocab.txt")
    own = [ChoiceExample("t-1", "the the the", ("lake lake", "the"))]
    (found,) = features.featurize(own, 2, 6, tokenizer)
    the, lake = tokenizer.convert_tokens_to_ids(["the", "lake"])
    # One of each is left out: the longer first, of equal ones the second.
    assert found["input_ids"][:6].count(the) == 2
    assert found["input_ids"][:6].count(lake) == 1
    assert found["label_ids"] == [0]


def test_fields_have_an_axis_of_choices():
    ids, *_, labels = features.fields(8, 3)
    assert (ids.name, ids.length, ids.shape) == ("input_ids", 24, [3, 8])
    assert (labels.name, labels.length) == ("label_ids", 1)
