import pytest

from bert.data.records import long_texts, packing
from bert.data.records.long_texts import LongTexts
from bert.data.records.packing import Packed

SPECIAL = packing.SpecialIds(cls=100, sep=101, end=101)


def windows(stride, most=16, pooling="mean"):
    return LongTexts("windows", stride, most, pooling)


def encode(text, limit=None):
    return list(map(int, text.split()))[:limit]


@pytest.mark.parametrize(
    ("truncation", "room", "kept"),
    [
        ("end", 5, [0, 1, 2, 3, 4]),
        ("start", 5, [5, 6, 7, 8, 9]),
        ("middle", 5, [0, 6, 7, 8, 9]),
        ("middle", 8, [0, 1, 4, 5, 6, 7, 8, 9]),
        ("middle", 3, [7, 8, 9]),
        ("start", 1, [9]),
    ],
)
def test_a_long_text_loses_what_is_cut_off(truncation, room, kept):
    cut = LongTexts(truncation)
    assert cut.parts(list(range(10)), room) == [kept]


@pytest.mark.parametrize("truncation", long_texts.TRUNCATIONS)
@pytest.mark.parametrize("num_pieces", [0, 1, 5])
def test_a_text_that_fits_is_read_whole(truncation, num_pieces):
    cut = windows(2) if truncation == "windows" else LongTexts(truncation)
    ids = list(range(num_pieces))
    assert cut.parts(ids, 5) == [ids]


@pytest.mark.parametrize(
    ("num_pieces", "room", "stride", "spans"),
    [
        (0, 4, 2, []),
        (4, 4, 2, [(0, 4)]),
        (5, 4, 2, [(0, 4), (2, 3)]),
        (8, 4, 2, [(0, 4), (2, 4), (4, 4)]),
        (8, 4, 9, [(0, 4), (4, 4)]),
    ],
)
def test_windows_reach_to_the_end_of_a_text(num_pieces, room, stride, spans):
    assert list(long_texts.windows(num_pieces, room, stride)) == spans


def test_sequences_have_cls_and_sep_each():
    found = windows(2).pack("1 2 3 4", None, encode, SPECIAL, 5)
    assert found == [
        Packed([100, 1, 2, 3, 101], 5),
        Packed([100, 3, 4, 101], 4),
    ]
    assert LongTexts("start").pack("1 2 3 4", "", encode, SPECIAL, 5) == [
        Packed([100, 2, 3, 4, 101], 5)
    ]


def test_no_more_of_a_text_is_encoded_than_is_read():
    asked = []

    def all_of(text, limit):
        asked.append(limit)
        return encode(text, limit)

    ids = " ".join(map(str, range(50)))
    for cut in (long_texts.END, LongTexts("middle"), windows(2, 3)):
        found = cut.pack(ids, None, all_of, SPECIAL, 6)
        whole = cut.pack(
            *(ids, None, lambda text, limit: encode(text), SPECIAL, 6)
        )
        assert found[: cut.max_windows] == whole[: cut.max_windows]
    assert asked == [4, None, 4 + 2 * 2 + 1]
    assert len(found) == 4  # one more than are read
    for a in range(9):
        for b in range(9):
            texts = [" ".join(map(str, range(n))) for n in (a, b)]
            assert long_texts.END.pack(*texts, encode, SPECIAL, 6) == [
                packing.pack_texts(*texts, encode, SPECIAL, 6)
            ]


def test_pairs_lose_the_end_of_the_longer_text_alone():
    expected = packing.pack_texts("1 2 3", "4 5", encode, SPECIAL, 6)
    assert long_texts.END.pack("1 2 3", "4 5", encode, SPECIAL, 6) == [expected]
    with pytest.raises(ValueError, match="a single text"):
        LongTexts("middle").pack("1", "2", encode, SPECIAL, 6)


def test_places_without_a_sequence_are_padding():
    found = long_texts.pad([Packed([7, 8], 2), Packed([9], 1)], 3, 2)
    assert found == {
        "input_ids": [7, 8, 9, 0, 0, 0],
        "input_mask": [1, 1, 1, 0, 0, 0],
        "segment_ids": [0] * 6,
    }


def test_the_originals_rule_says_nothing():
    assert long_texts.END.to_dict() == {}
    assert long_texts.END.flags() == "--truncation=end"
    assert LongTexts("middle").to_dict() == {"truncation": "middle"}
    assert windows(3).flags() == (
        "--truncation=windows --doc_stride=3 --max_windows=16 "
        "--window_pooling=mean"
    )


@pytest.mark.parametrize(
    "values",
    [
        ("centre",),
        ("windows",),
        ("windows", 0, 1, "mean"),
        ("windows", 2, True, "mean"),
        ("windows", 2, 2, "sum"),
        ("end", 2),
        ("start", None, None, "mean"),
    ],
)
def test_values_that_say_nothing_are_refused(values):
    with pytest.raises(ValueError, match=f"{values[0]}"):
        LongTexts(*values)
