from bert.data.text import special_tokens


def test_a_vocabulary_says_how_it_names_them():
    pairs = {"<unk>": 0, "_start_": 1, "_delimiter_": 2, "_classify_": 3}
    assert special_tokens.of(pairs) is special_tokens.BYTE_PAIRS
    pieces = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}
    assert special_tokens.of(pieces) is special_tokens.WORD_PIECES
    assert special_tokens.of({**pieces, **pairs}) is special_tokens.WORD_PIECES
    assert special_tokens.of({}) is special_tokens.WORD_PIECES
