import json
import logging

import pytest

from bert.data.records import record_bytes, record_writer
from bert.data.text.tokenization import FullTokenizer
from bert.tasks.squad import examples as squad
from bert.tasks.squad import windows
from bert.tasks.squad.examples import SquadExample

NARROW = windows.WindowSettings(48, 16, 12)
WIDE = windows.WindowSettings(64, 20, 6)
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "(", ")", "-", ".", "who"]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz", *"0123456789"]


@pytest.fixture(scope="module")
def golden_tokenizer(golden):
    return FullTokenizer(golden / "inputs/vocab.txt")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """Each letter and digit is a word."""
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    continued = [f"##{letter}" for letter in LETTERS]
    path.write_text("\n".join([*VOCAB, *LETTERS, *continued]))
    return FullTokenizer(path)


def read(golden, name):
    path = str(golden / f"inputs/squad/{name}.json")
    if name.startswith("train"):
        return squad.read_training_examples(path, "v2" in name).examples
    return squad.read_prediction_examples(
        path, with_answers=False, version_2_with_negative="v2" in name
    )


def as_in_the_golden(window):
    return {
        "unique_id": window.unique_id,
        "example_index": window.example_index,
        "doc_span_index": window.doc_span_index,
        "tokens": window.tokens,
        "token_to_orig_map": {
            str(place): window.word_at(place) for place in window.positions
        },
        "token_is_max_context": {
            str(place): window.is_max_context(place)
            for place in window.positions
        },
        "start_position": window.start_position,
        "end_position": window.end_position,
        "is_impossible": window.is_impossible,
    }


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("train-v1.1", NARROW),
        ("train-v2.0", NARROW),
        ("dev-v1.1", NARROW),
        ("dev-v2.0", NARROW),
        ("dev-v1.1-wide", WIDE),
    ],
)
def test_windows_and_records_are_the_originals(
    golden, golden_tokenizer, tmp_path, name, settings
):
    folder = golden / "squad_records"
    ours = list(
        windows.windows(
            read(golden, name.removesuffix("-wide")), golden_tokenizer, settings
        )
    )
    theirs = json.loads((folder / f"{name}.features.json").read_text())
    assert [as_in_the_golden(window) for window in ours] == theirs

    fields = windows.fields(
        settings.max_seq_length, is_training=name.startswith("train")
    )
    written = tmp_path / "records"
    record_writer.write(
        str(written),
        fields,
        (
            windows.features(window, golden_tokenizer, settings.max_seq_length)
            for window in ours
        ),
    )
    assert [
        record_bytes.values(fields, record) for record in records_of(written)
    ] == [
        record_bytes.values(fields, record)
        for record in records_of(folder / f"{name}.tf_record")
    ]


def records_of(path):
    """Reads a TFRecord file without starting a device."""
    content = path.read_bytes()
    found = []
    while content:
        length = int.from_bytes(content[:8], "little")
        found.append(content[12 : 12 + length])
        content = content[16 + length :]
    return found


def windows_of(text, tokenizer, settings=NARROW, question="who", **answer):
    example = SquadExample("id", question, text.split(), **answer)
    return list(windows.windows([example], tokenizer, settings))


def test_windows_overlap_by_the_stride_and_end_with_the_text(tokenizer):
    # Room for 4 pieces beside [CLS] who [SEP] ... [SEP].
    settings = windows.WindowSettings(8, 2, 5)
    ours = windows_of("a b c d e f g", tokenizer, settings)
    texts = [" ".join(window.tokens[3:-1]) for window in ours]
    assert texts == ["a b c d", "c d e f", "e f g"]


def test_a_stride_longer_than_a_window_leaves_nothing_out(tokenizer):
    settings = windows.WindowSettings(8, 100, 5)
    ours = windows_of("a b c d e f g", tokenizer, settings)
    texts = [" ".join(window.tokens[3:-1]) for window in ours]
    assert texts == ["a b c d", "e f g"]


def test_every_piece_has_one_window_of_most_context(tokenizer):
    settings = windows.WindowSettings(12, 3, 5)
    text = " ".join("abcdefghijklmnopqrstuvw")
    ours = windows_of(text, tokenizer, settings)
    owners = [
        (window.piece_at(place), window.doc_span_index)
        for window in ours
        for place in window.positions
        if window.is_max_context(place)
    ]
    assert sorted(piece for piece, _ in owners) == list(range(23))
    # By hand: d to i have 3 and more to each side in windows 0 (a-h) or 1.
    assert dict(owners)[4] == 0
    assert dict(owners)[6] == 1


def test_a_longer_window_counts_a_little_more(tokenizer):
    settings = windows.WindowSettings(304, 200, 5)
    long, short = windows_of("a " * 310, tokenizer, settings)
    assert (long.length, short.length) == (300, 110)
    # Piece 250: 49 + 3.00 against 50 + 1.10; piece 251: 48 and 51.
    assert [long.is_max_context(3 + piece) for piece in (250, 251)] == [
        True,
        False,
    ]


def test_a_long_paragraph_costs_what_its_windows_cost(tokenizer):
    # With a look at every window for every piece this takes minutes.
    settings = windows.WindowSettings(8, 1, 5)
    ours = windows_of(" ".join("abcd" * 5000), tokenizer, settings)
    assert len(ours) == 20000 - 3


def test_the_question_is_cut(tokenizer):
    settings = windows.WindowSettings(12, 4, 3)
    (window,) = windows_of("a b", tokenizer, settings, question="f g h i j")
    assert window.tokens == ["[CLS]", "f", "g", "h", "[SEP]", "a", "b", "[SEP]"]


def test_a_paragraph_without_words_has_no_window(tokenizer):
    assert windows_of("", tokenizer) == []


@pytest.mark.parametrize(
    ("text", "answer", "pieces"),
    [
        ("a (1895-1943). b", "1895", ["1", "##8", "##9", "##5"]),
        # Other pieces than the text's: the whole word.
        ("a bcd e", "cd", ["b", "##c", "##d"]),
    ],
)
def test_the_answer_is_narrowed_to_its_pieces(tokenizer, text, answer, pieces):
    (window,) = windows_of(
        text,
        tokenizer,
        orig_answer_text=answer,
        start_position=1,
        end_position=1,
    )
    first, last = window.start_position, window.end_position
    assert window.tokens[first : last + 1] == pieces


@pytest.mark.parametrize(
    ("answer", "start", "positions"),
    [
        ("c d", 2, [(5, 6), (3, 4), (0, 0)]),
        # The first window ends in the middle of it.
        ("d e", 3, [(0, 0), (4, 5), (0, 0)]),
    ],
)
def test_windows_without_the_whole_answer_point_to_cls(
    tokenizer, answer, start, positions
):
    settings = windows.WindowSettings(8, 2, 5)
    ours = windows_of(
        "a b c d e f g",
        tokenizer,
        settings,
        orig_answer_text=answer,
        start_position=start,
        end_position=start + 1,
    )
    assert [(w.start_position, w.end_position) for w in ours] == positions


def test_an_impossible_question_points_to_cls_everywhere(tokenizer):
    (window,) = windows_of(
        "a b",
        tokenizer,
        orig_answer_text="",
        start_position=-1,
        end_position=-1,
        is_impossible=True,
    )
    values = windows.features(window, tokenizer, 10)
    assert values["start_positions"] == values["end_positions"] == [0]
    assert values["is_impossible"] == [1]


def test_numbers_run_on_over_questions(tokenizer):
    examples = [SquadExample(name, "who", ["a", "b"]) for name in "xy"]
    ours = list(windows.windows(examples, tokenizer, NARROW))
    assert [w.unique_id for w in ours] == [1000000000, 1000000001]
    assert [w.example_index for w in ours] == [0, 1]
    assert [w.doc_span_index for w in ours] == [0, 0]


def test_a_window_is_logged_as_the_original_does(tokenizer, caplog):
    (window,) = windows_of(
        "ab c",
        tokenizer,
        orig_answer_text="c",
        start_position=1,
        end_position=1,
    )
    with caplog.at_level(logging.INFO, logger="absl"):
        windows.log_window(window, windows.features(window, tokenizer, 9))
    assert caplog.messages == [
        "*** Example ***",
        "unique_id: 1000000000",
        "example_index: 0",
        "doc_span_index: 0",
        "tokens: [CLS] who [SEP] a ##b c [SEP]",
        "token_to_orig_map: 3:0 4:0 5:1",
        "token_is_max_context: 3:True 4:True 5:True",
        "input_ids: 2 8 3 9 46 11 3 0 0",
        "input_mask: 1 1 1 1 1 1 1 0 0",
        "segment_ids: 0 0 0 1 1 1 1 0 0",
        "start_position: 5",
        "end_position: 5",
        "answer: c",
    ]


def test_records_have_answers_in_training_only():
    def names(is_training):
        return {field.name for field in windows.fields(8, is_training)}

    answer = {"start_positions", "end_positions", "is_impossible"}
    assert names(True) - names(False) == answer
