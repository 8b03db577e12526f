from bert.data.text import tokenizers


def test_the_name_of_a_file_says_the_kind():
    assert tokenizers.kind_of("a/b.json") is tokenizers.WORD_PIECES
    assert tokenizers.kind_of("vocab.txt") is tokenizers.WORD_PIECES
    kind = tokenizers.kind_of("/a/encoder_bpe_40000.json")
    assert kind.name == "GptTokenizer"


def test_a_model_keeps_a_tokenizers_files_by_their_own_names():
    assert tokenizers.kept_files("a/words") == {"vocab.txt": "a/words"}
    assert tokenizers.kept_files("a/encoder_bpe_40000.json") == {
        "encoder_bpe_40000.json": "a/encoder_bpe_40000.json",
        "vocab_40000.bpe": "a/vocab_40000.bpe",
    }


def test_the_vocabulary_of_each_kind_is_read(golden):
    words = tokenizers.load_vocab(golden / "inputs/vocab.txt")
    assert words["[CLS]"] >= 0
    pairs = tokenizers.load_vocab(golden / "gpt/model/encoder_bpe_40000.json")
    assert pairs["_start_"] == 213


def test_of_byte_pairs_the_kind_says_that_text_is_lower_cased(golden):
    pairs = golden / "gpt/model/encoder_bpe_40000.json"
    assert tokenizers.is_uncased(pairs) is True
    assert tokenizers.is_uncased(golden / "inputs/vocab.txt") is True
    assert tokenizers.is_uncased(golden / "inputs/vocab_cased.txt") is False
