import json

from bert import run_squad
from tests.compat.tokenizers import Words


def questions():
    words = ["the", "boat", "was", "blue", "and", "old"]
    return [run_squad.SquadExample("q", "Which colour?", words)]


def windows_of(examples):
    found = []
    run_squad.convert_examples_to_features(
        examples, Words(), 8, 2, 2, False, found.append
    )
    return found


def test_any_tokenizer_will_do():
    first, second, *_ = windows_of(questions())
    assert first.tokens == (
        ["[CLS]", "Which", "colour?", "[SEP]", "the", "boat", "was", "[SEP]"]
    )
    assert first.input_ids == [5, 5, 7, 5, 3, 4, 3, 5]
    assert second.token_to_orig_map == {4: 2, 5: 3, 6: 4}
    assert (second.start_position, second.is_impossible) == (None, False)


def test_answers_do_not_depend_on_the_order_of_results(tmp_path):
    examples = questions()
    features = windows_of(examples)
    results = [
        run_squad.RawResult(
            window.unique_id,
            [float(token == "blue") for token in window.tokens],
            [float(token == "blue") for token in window.tokens],
        )
        for window in features
    ]
    files = [str(tmp_path / name) for name in ("p", "n", "o")]
    run_squad.write_predictions(
        examples, features, results[::-1], 2, 3, True, *files
    )
    assert json.loads((tmp_path / "p").read_text()) == {"q": "blue"}
    assert not (tmp_path / "o").exists()
