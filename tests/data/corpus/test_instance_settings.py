from bert.data.corpus.instance_settings import InstanceSettings, Vocabulary
from bert.data.records import packing

CLS, SEP, MASK = 1, 2, 3
# 10-59 begin a word, 60-99 go on with one.
CONTINUATIONS = frozenset(range(60, 100))
VOCABULARY = Vocabulary(
    packing.SpecialIds(CLS, SEP, SEP),
    MASK,
    list(range(1000, 1100)),
    CONTINUATIONS,
)


def make_settings(**changes):
    settings = {
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
        "masked_lm_prob": 0.15,
        "short_seq_prob": 0.1,
        "dupe_factor": 1,
        "do_whole_word_mask": False,
    }
    return InstanceSettings(**{**settings, **changes})


def test_vocabulary_reads_ids_and_continuations():
    vocab = {"a": 4, "[CLS]": 1, "##b": 0, "[MASK]": 2, "[SEP]": 3}

    assert Vocabulary.from_vocab(vocab) == (
        (1, 3, 3),
        2,
        [4, 1, 0, 2, 3],
        {0},
        set(),
    )


def test_vocabulary_of_byte_pairs_says_what_ends_no_word():
    vocab = {
        **{"<unk>": 0, "a": 1, "a</w>": 2, "_start_": 3, "_delimiter_": 4},
        **{"_classify_": 5, "_mask_": 6},
    }
    found = Vocabulary.from_vocab(vocab)
    assert found.special == (3, 4, 5)
    assert found.mask_id == 6
    assert (found.continuation_ids, found.unfinished_ids) == (set(), {1})
