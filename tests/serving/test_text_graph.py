import sys

import pytest
import tensorflow as tf

from bert.data.records import packing
from bert.data.text.tokenization import FullTokenizer
from bert.errors import UserError
from bert.serving import text_graph
from bert.serving.text_graph import TextGraph

TOKENS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("un", "##aff", "##able", "a", "b", "##a", "##b", "##ab", "é", "##é"),
    *("中", "[", "]", "cls", "CLS", ",", "!", "'"),
    *("ας", "ασ", "##σ", "##ς", "🙂", "##🙂"),
]


def write_vocab(folder, tokens):
    path = folder / "vocab.txt"
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return path


def make_both(folder, tokens=TOKENS, do_lower_case=False):
    tokenizer = FullTokenizer(write_vocab(folder, tokens), do_lower_case)
    return tokenizer, TextGraph(tokenizer.vocab, do_lower_case)


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_ids_are_the_full_tokenizers(tmp_path, do_lower_case):
    tokenizer, graph = make_both(tmp_path, do_lower_case=do_lower_case)
    texts = [
        "unaffable",
        "",
        "unaffablex a, b!",
        "[CLS] [UNK] [MASK]",
        "ΑΣ ΑΣΣ unÉ é中ab",
        "a🙂🙂",
        "aababab \t b",
        "##ab ##",
        "'",
    ]

    ids = tf.function(graph.tokenize)(tf.constant(texts))

    assert ids.dtype == tf.int32
    assert ids.to_list() == [tokenizer.encode(text) for text in texts]


@pytest.mark.parametrize("char", "aé🙂")
def test_words_over_200_characters_are_unknown(tmp_path, char):
    tokenizer, graph = make_both(tmp_path)
    texts = [char * 199, char * 200, char * 201, f"b {char * 201} b"]

    pieces = graph.tokenize_with_offsets(tf.constant(texts))

    assert pieces.ids.to_list() == [tokenizer.encode(text) for text in texts]
    assert pieces.ids.to_list()[2] == [tokenizer.vocab["[UNK]"]]
    length = len(char.encode()) * 201
    assert pieces.starts.to_list()[2:] == [[0], [0, 2, length + 3]]
    assert pieces.limits.to_list()[2:] == [
        [length],
        [1, length + 2, length + 4],
    ]


def test_of_equal_tokens_the_last_one_counts(tmp_path):
    tokens = ["a", "[UNK]", "", "[CLS]", "[SEP]", "##b", "a", "##b", "##"]
    tokenizer, graph = make_both(tmp_path, tokens)

    ids = graph.tokenize(tf.constant(["a", "ab", "b"]))

    assert ids.to_list() == [[6], [6, 7], [1]]
    assert ids.to_list() == [
        tokenizer.encode(text) for text in ("a", "ab", "b")
    ]


def test_offsets_are_where_the_pieces_stand(tmp_path):
    _, graph = make_both(tmp_path, do_lower_case=True)
    texts = ["É, UnAff\u200bable x中!", "b"]

    pieces = tf.function(graph.tokenize_with_offsets)(tf.constant(texts))

    spans = zip(pieces.starts.to_list(), pieces.limits.to_list(), strict=True)
    found = [
        [text.encode()[a:b].decode() for a, b in zip(*span, strict=True)]
        for text, span in zip(texts, spans, strict=True)
    ]
    assert found == [
        ["É", ",", "Un", "Aff\u200b", "able", "x", "中", "!"],
        ["b"],
    ]
    assert pieces.starts.dtype == pieces.limits.dtype == tf.int32


def test_pairs_are_cut_as_for_training():
    lengths = [
        (a, b, most) for a in range(9) for b in range(9) for most in range(12)
    ]
    rows_a = [list(range(a)) for a, _, _ in lengths]
    rows_b = [list(range(b)) for _, b, _ in lengths]

    cut = text_graph.truncate_seq_pair(
        tf.ragged.constant(rows_a, tf.int32),
        tf.ragged.constant(rows_b, tf.int32),
        tf.constant([most for _, _, most in lengths], tf.int64),
    )

    for (_, _, most), a, b in zip(lengths, rows_a, rows_b, strict=True):
        packing.truncate_seq_pair(a, b, most)
    assert [part.to_list() for part in cut] == [rows_a, rows_b]


@pytest.mark.parametrize("ends", [(0, 3), (1, 2), (3, 0), (2, 5)])
def test_only_the_ends_of_long_texts_are_kept(ends):
    rows = [list(range(length)) for length in range(9)]
    found = text_graph.keep_ends(tf.ragged.constant(rows, tf.int32), *ends)
    first, last = ends
    assert found.to_list() == [
        row[:first] + row[len(row) - last :] if len(row) > sum(ends) else row
        for row in rows
    ]


def test_single_texts_are_packed_as_for_training(tmp_path):
    tokenizer, graph = make_both(tmp_path)
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    rows = [[8], [], [8, 9, 8]]

    packed = graph.pack_as_is(tf.ragged.constant(rows, tf.int32))

    assert_features(packed, [packing.pack_single(ids, special) for ids in rows])


def test_pairs_are_packed_as_for_training(tmp_path):
    tokenizer, graph = make_both(tmp_path)
    special = packing.SpecialIds.from_vocab(tokenizer.vocab)
    rows_a = [[8], [8, 8], []]
    rows_b = [[9, 9, 9], [], [9]]

    packed = graph.pack_as_is(
        tf.ragged.constant(rows_a, tf.int32),
        tf.ragged.constant(rows_b, tf.int32),
    )

    # As featurize: nothing in the place of the second text is a single one.
    expected = [
        packing.pack_pair(a, b, special)
        if b
        else packing.pack_single(a, special)
        for a, b in zip(rows_a, rows_b, strict=True)
    ]
    assert_features(packed, expected)


def assert_features(packed, expected):
    """As `packing.pad` fills up to the longest one."""
    longest = max(len(sequence.ids) for sequence in expected)
    rows = [packing.pad(sequence, longest) for sequence in expected]
    for name, values in packed.items():
        assert values.dtype == tf.int32
        assert values.numpy().tolist() == [row[name] for row in rows]


def test_no_texts_are_packed_to_nothing(tmp_path):
    _, graph = make_both(tmp_path)
    no_ids = graph.tokenize(tf.constant([], tf.string))

    packed = graph.pack_as_is(no_ids, no_ids)

    assert packed["input_ids"].shape[0] == 0


def test_saved_model_needs_no_files(tmp_path):
    tokenizer, graph = make_both(tmp_path, do_lower_case=True)
    saved = tf.Module()
    saved.tokenize = tf.function(
        graph.tokenize, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(saved, tmp_path / "saved")
    (tmp_path / "vocab.txt").unlink()

    loaded = tf.saved_model.load(tmp_path / "saved")

    texts = ["Unaffable É ΑΣ", "a\u0301 " + "b" * 201]
    expected = [tokenizer.encode(text) for text in texts]
    assert loaded.tokenize(tf.constant(texts)).to_list() == expected


def test_token_too_long_for_tensorflow_text_is_one_line(tmp_path):
    tokens = [*TOKENS, "é" * 150]
    tokenizer = FullTokenizer(write_vocab(tmp_path, tokens))

    with pytest.raises(UserError, match=r"exceeds the max supported") as raised:
        TextGraph(tokenizer.vocab, do_lower_case=False)

    assert "\n" not in str(raised.value)


def test_missing_tensorflow_text_is_one_line(tmp_path, monkeypatch):
    tokenizer = FullTokenizer(write_vocab(tmp_path, TOKENS))
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)

    with pytest.raises(
        UserError, match=r"tensorflow-text .* without"
    ) as raised:
        TextGraph(tokenizer.vocab, do_lower_case=False)

    assert "\n" not in str(raised.value)
