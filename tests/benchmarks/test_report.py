import pytest

from benchmarks.peers import report, sizes

CELL = {
    "work": "forward",
    "model": "2x128",
    "length": 128,
    "rows": 32,
    "head": "classifier",
    "item": "examples",
}


def _round(**seconds):
    return {name: {"seconds": value} for name, value in seconds.items()}


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    rounds = [_round(a=1.0, b=2.0), _round(a=4.0, b=4.0), _round(a=9.0, b=3.0)]

    assert report.ratio(rounds, "b", "a") == 1.0


def test_rounds_that_one_missed_do_not_count_in_its_ratio():
    rounds = [_round(a=1.0, b=3.0), _round(a=1.0)]

    assert report.ratio(rounds, "b", "a") == 3.0
    assert report.ratio(rounds, "c", "a") is None


def test_shares_of_products_and_peak():
    rounds = [
        {
            **_round(ours=2.0, products=1.0),
            report.PEAK + "products": {"seconds": 2.0},
        }
    ]
    ours, products, peak = report.summarize(CELL, rounds)

    assert ours["share_of_products"] == 0.5
    assert products["share_of_products"] == 1.0
    assert peak["share_of_peak"] == 1.0
    rate = 2 * 2048**3 / 2.0
    assert ours["share_of_peak"] == pytest.approx(
        sizes.flops(CELL, only_read=True) / 2 / rate
    )


def test_the_best_of_the_others():
    rounds = [_round(**{"ours": 1.0, "ours-padded": 0.5, "products": 0.1})]
    rounds[0] |= _round(**{"a": 3.0, "b": 2.0, "b+onednn": 1.5})

    assert report.best(report.summarize(CELL, rounds)) == (
        "Best of the others as its users run it: b, ours is faster by 2.00; "
        "best with oneDNN switched on by hand: b+onednn, ours is faster by "
        "1.50."
    )


@pytest.mark.parametrize(
    ("ours", "others", "expected"),
    [
        ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, "1 of 2 answers differ"),
        ([[1, 2], [3]], [[1, 2], [4]], "1 of 2 lines differ"),
        (
            [[0.25, 0.75], [0.5, 0.5]],
            [[0.75, 0.25], [0.5, 0.5]],
            "probabilities differ by 5.0e-01 at most, 1 of 2 labels",
        ),
        ([[1]], [[1], [2]], "2 answers, ours are 1"),
    ],
)
def test_how_answers_differ(ours, others, expected):
    assert report.difference(ours, others) == expected


def test_operations_of_a_small_model():
    cell = {**CELL, "model": "1x64", "rows": 1, "length": 2}
    # query, key, value, output; wide, narrow; scores, context; pooler, head.
    dense = 2 * 2 * (4 * 64 * 64 + 2 * 64 * 256)
    attention = 2 * (2 * 2 * 2 * 64)
    head = 2 * (64 * 64 + 64 * 2)

    assert sizes.flops(cell) == dense + attention + head
    assert sizes.flops({**cell, "work": "train_step"}) == 3 * (
        dense + attention + head
    )


def test_operations_where_the_last_layer_has_the_read_tokens_only():
    cell = {**CELL, "model": "1x64", "rows": 1, "length": 2}
    # Of the token that is not read: query, output; wide, narrow; attention.
    spared = 2 * (2 * 64 * 64 + 2 * 64 * 256) + 2 * 2 * 2 * 64
    assert sizes.flops(cell) - sizes.flops(cell, only_read=True) == spared


def test_models_have_heads_of_64_units():
    assert sizes.model("6x384").config() == {
        "vocab_size": 30522,
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "intermediate_size": 1536,
    }


def test_bert_base_at_32_x_128_takes_what_was_measured():
    cell = {**CELL, "model": "12x768", "work": "train_step"}

    # docs: 8.00 GiB with our own step.
    assert 6 < sizes.memory_gib(cell) < 10
