import pytest

from bert.tasks.squad import metrics
from bert.tasks.squad.metrics import Judged


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The  Cat, sat!", "cat sat"),
        ("an A-Team of the U.S.", "ateam of us"),
        ("theatre", "theatre"),
        ("“quoted”", "“quoted”"),
        ("the", ""),
    ],
)
def test_answers_are_normalized_as_officially(text, normalized):
    assert metrics.normalize_answer(text) == normalized


def test_f1_counts_words_as_often_as_both_have_them():
    # 2 of 3 words, and 2 of 4.
    f1 = metrics.f1("cat cat dog", "cat cat cat mouse")
    assert f1 == pytest.approx(2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4))
    assert metrics.f1("cat", "dog") == 0.0


def test_the_best_of_several_answers_counts():
    figures = metrics.metrics(
        [
            Judged(("dog", "the cat sat"), "Cat sat."),
            Judged(("dog", "cat sat"), "cat"),
        ]
    )
    assert figures == {
        "exact_match": 50.0,
        "f1": pytest.approx(100 * (1 + 2 / 3) / 2),
    }


def test_two_articles_match_but_have_no_word_in_common():
    """So the official script of v1.1 counts."""
    assert metrics.metrics([Judged(("the",), "a")]) == {
        "exact_match": 100.0,
        "f1": 0.0,
    }


JUDGED = [
    # Sure and right; less sure, half right; wrong to answer; right not to.
    Judged(("cat",), "cat", "cat", -5.0),
    Judged(("cat sat",), "", "cat", -1.0),
    Judged((), "dog", "dog", -2.0),
    Judged((), "", "mouse", 4.0),
]


def test_figures_of_v2_with_and_without_answer():
    figures = metrics.metrics_v2(JUDGED)
    assert set(figures) == set(metrics.METRICS_V2)
    assert figures["exact_match"] == figures["f1"] == 50.0
    assert figures["HasAns_exact"] == figures["HasAns_f1"] == 50.0
    assert figures["NoAns_exact"] == figures["NoAns_f1"] == 50.0


def test_the_best_threshold_gives_the_best_figure():
    figures = metrics.metrics_v2(JUDGED)
    # Only the first is answered: it is right, as are the two without answer.
    assert (figures["best_exact"], figures["best_exact_thresh"]) == (75.0, -5.0)
    assert (figures["best_f1"], figures["best_f1_thresh"]) == (75.0, -5.0)
    assert metrics.best_f1_threshold(JUDGED) == -5.0
    applied = [
        j._replace(prediction="" if j.null_odds > -5.0 else j.text)
        for j in JUDGED
    ]
    assert metrics.metrics_v2(applied)["f1"] == 75.0


def test_thresholds_of_f1_and_exact_match_may_differ():
    judged = [*JUDGED[:2], JUDGED[3]]
    figures = metrics.metrics_v2(judged)
    assert figures["best_exact_thresh"] == -5.0
    assert figures["best_f1_thresh"] == -1.0
    assert figures["best_f1"] == pytest.approx(100 * (1 + 2 / 3 + 1) / 3)


def test_where_it_is_best_never_to_answer_the_threshold_is_below_all():
    judged = [Judged((), "dog", "dog", -3.0), Judged(("x",), "y", "y", -2.0)]
    figures = metrics.metrics_v2(judged)
    assert (figures["best_f1"], figures["best_f1_thresh"]) == (50.0, 0.0)
    assert metrics.best_f1_threshold(judged) < -3.0


def test_the_best_threshold_does_not_depend_on_what_was_predicted():
    silent = [j._replace(prediction="") for j in JUDGED]
    assert metrics.best_f1_threshold(silent) == metrics.best_f1_threshold(
        JUDGED
    )


def test_a_group_without_questions_has_no_figures():
    figures = metrics.metrics_v2(JUDGED[:2])
    assert "HasAns_f1" in figures
    assert "NoAns_f1" not in figures


def test_an_answer_of_articles_alone_is_none_in_v2():
    judged = [Judged(("the", "a cat"), "cat", "cat", 0.0)]
    assert metrics.metrics_v2(judged)["exact_match"] == 100.0
    # All that is left is "no answer".
    judged = [Judged(("the",), "", "cat", 0.0)]
    figures = metrics.metrics_v2(judged)
    assert (figures["exact_match"], figures["f1"]) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("text", "f1_by", "tokens"),
    [
        ("The U.S. cat", "words", "us cat"),
        ("北京，上海", "words", "北京，上海"),
        ("北京，上海 The 3D", "characters", "北 京 上 海 3 d"),
        ("「北京」 3D in（1９）…ガー·ス", "auto", "北 京 3d in1９ ガ ー ス"),
        ("ไป1 ลาว ໄປ កម្ពុ မြန်", "auto", "ไ ป 1 ล า ว ໄ ປ ក ម ្ ព ុ မ ြ န ်"),
        ("𠮷田〆々 서울 Straße", "auto", "𠮷 田 〆 々 서울 straße"),
        ("a cat", "auto", "cat"),
        ("5฿ 《》！", "auto", "5฿"),
    ],
)
def test_what_f1_counts(text, f1_by, tokens):
    assert metrics.f1_tokens(text, f1_by) == tokens.split()


@pytest.mark.parametrize(
    ("f1_by", "expected"),
    [
        # 北京 大学 of one and 北京 of the other: no word, 2 of 4 and 2 of 2
        # characters.
        ("words", 0.0),
        ("characters", 2 * (2 / 4) * 1 / (2 / 4 + 1)),
        ("auto", 2 * (2 / 4) * 1 / (2 / 4 + 1)),
    ],
)
def test_f1_by_characters(f1_by, expected):
    assert metrics.f1("北京大学", "北京。", f1_by) == pytest.approx(expected)
    figures = metrics.metrics([Judged(("北京。", "x"), "北京大学")], f1_by)
    assert figures == {
        "exact_match": 0.0,
        "f1": pytest.approx(100 * expected),
    }


def test_f1_by_characters_and_auto_differ_where_words_have_spaces():
    # "cat sat" and "cats": 4 of 6 and 4 of 4 characters, no word.
    assert metrics.f1("cat sat", "cats", "characters") == pytest.approx(0.8)
    assert metrics.f1("cat sat", "cats", "auto") == 0.0
    # 2 of 3 and 2 of 2.
    assert metrics.f1("cat 猫犬", "cat 猫", "auto") == pytest.approx(0.8)


def test_exact_match_is_official_whatever_f1_counts():
    judged = [Judged(("北京",), "「北京」", "「北京」", -1.0)]
    for f1_by, f1 in (("words", 0.0), ("characters", 100.0), ("auto", 100.0)):
        for figures in (
            metrics.metrics(judged, f1_by),
            metrics.metrics_v2(judged, f1_by),
        ):
            assert (figures["exact_match"], figures["f1"]) == (0.0, f1)


def test_the_best_threshold_is_that_of_what_f1_counts():
    judged = [
        Judged(("北京",), "", "北京大学", -1.0),
        Judged((), "", "x", 0.0),
    ]
    assert metrics.best_f1_threshold(judged) < -1.0
    assert metrics.best_f1_threshold(judged, "characters") == -1.0
    figures = metrics.metrics_v2(judged, "characters")
    assert figures["best_f1"] == pytest.approx(100 * (1 + 2 / 3) / 2)


def test_an_answer_of_chinese_punctuation_alone_is_none_where_f1_drops_it():
    judged = [Judged(("。",), "", "x", 0.0)]
    assert metrics.metrics_v2(judged)["f1"] == 0.0
    assert metrics.metrics_v2(judged, "auto")["f1"] == 100.0


def test_scores_are_what_the_figures_are_means_of():
    judged = [
        metrics.Judged(["a red house", "red"], "the red"),
        metrics.Judged(["blue sky"], "sky"),
    ]
    assert metrics.scores(judged) == {
        "exact_match": [1.0, 0.0],
        "f1": [1.0, pytest.approx(2 / 3)],
    }
    none = [metrics.Judged([], ""), metrics.Judged([], "sky")]
    assert metrics.scores(none, version_2=True)["f1"] == [1.0, 0.0]


def test_the_threshold_curve_has_the_figures_of_each_threshold():
    judged = [
        metrics.Judged(["a b"], "", "a b", -3.0),
        metrics.Judged([], "", "c", 1.0),
        metrics.Judged(["d e"], "", "d", 1.0),
        metrics.Judged([], "", "f", 2.0),
    ]
    curve = metrics.threshold_curve(judged)
    assert [point["threshold"] for point in curve] == [-4.0, -3.0, 1.0, 2.0]
    assert [point["exact_match"] for point in curve] == [50.0, 75.0, 50.0, 25.0]
    for point in curve:
        answered = [j.null_odds <= point["threshold"] for j in judged]
        own = [
            j._replace(prediction=j.text if answers else "")
            for j, answers in zip(judged, answered, strict=True)
        ]
        assert metrics.metrics_v2(own)["f1"] == pytest.approx(point["f1"])
    best = metrics.metrics_v2(judged)["best_f1"]
    assert max(point["f1"] for point in curve) == best
