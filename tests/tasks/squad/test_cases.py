"""Files as users have them: particles, odd spaces, equal answers, typos."""

import logging
from pathlib import Path

import pytest

from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.tasks.squad import examples as squad
from bert.tasks.squad import windows
from bert.tasks.squad.character_offsets import comes_back_in_words

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A piece for each character of the cases."""
    texts = [path.read_text("utf-8") for path in CASES.iterdir()]
    texts += [text.encode().decode("unicode_escape") for text in texts]
    chars = {char for text in texts for char in text if char.strip()}
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(chars)]
    pieces += [f"##{char}" for char in sorted(chars)]
    path.write_text("\n".join(pieces), "utf-8")
    return FullTokenizer(path, do_lower_case=False)


def read(name, answer_offsets):
    return squad.read_training_examples(
        str(CASES / f"{name}.json"), False, answer_offsets
    )


def learned(name, tokenizer):
    """Question id → (start, text) of the pieces that are learned."""
    found, _ = read(name, "characters")
    learned = {}
    for window in windows.windows(
        found, tokenizer, windows.WindowSettings(384, 128, 64)
    ):
        example = found[window.example_index]
        start, end = window.document.offsets.range_of(
            window.piece_at(window.start_position),
            window.piece_at(window.end_position),
        )
        learned[example.qas_id] = start, example.context[start:end]
    return learned


def test_a_korean_answer_is_without_its_particle(tokenizer):
    assert learned("korean", tokenizer) == {"k": (3, "고려대학교")}


def test_of_equal_answers_the_one_that_is_meant_is_learned(tokenizer):
    assert learned("occurrence", tokenizer) == {
        "z3": (25, "北京"),
        "e3": (44, "Rome"),
    }


def test_spaces_of_all_kinds_stand_in_answers(tokenizer):
    assert learned("nbsp", tokenizer) == {
        "f0": (18, "10\xa0000\xa0m²"),
        "f1": (37, "3\xa0millions d’euros"),
        "f2": (72, "oui"),
        "f3": (57, "Paul"),
    }


def test_words_say_which_spaces_they_lose(caplog):
    with caplog.at_level(logging.WARNING):
        examples, num_left_out = read("nbsp", "words")
    path = CASES / "nbsp.json"
    left_out = {"f0", "f1", "f2", "f3"} - {e.qas_id for e in examples}
    assert num_left_out == len(left_out) > 0
    assert caplog.messages[0].startswith("Could not find answer: '")
    assert caplog.messages[1] == (
        f'{path}, data[0].paragraphs[0].qas[0] (id "f0"): expected the answer '
        "'10 000 m²' in the words of characters 18 to 27 of the context. "
        "Received: '10\\xa0000\\xa0m²'; the question is left out "
        "(--answer_offsets=characters finds it)."
    )
    assert caplog.messages[-1] == (
        f"{path}: {num_left_out} of 4 questions left out, since their answers "
        "were not found."
    )


def test_words_cannot_give_a_korean_answer_of_another_length(tmp_path):
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ᄀ"]))
    [example], _ = read("korean", "words")
    assert not comes_back_in_words(example, FullTokenizer(vocab), True)


@pytest.mark.parametrize("answer_offsets", ["words", "characters"])
def test_a_file_whose_answers_are_all_elsewhere_says_that(answer_offsets):
    with pytest.raises(UserError) as caught:
        read("offsets_off", answer_offsets)
    assert str(caught.value) == (
        f"{CASES / 'offsets_off.json'}: expected answers at their answer_start "
        "(characters of the context, from 0). Received: other texts there, "
        "for all 1 of its answers; see the warnings above."
    )
