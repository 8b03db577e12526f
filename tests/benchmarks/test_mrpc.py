from benchmarks import mrpc


def test_a_row_has_mean_spread_and_each_seed():
    results = [
        {"eval_accuracy": 0.80, "f1": 0.85},
        {"eval_accuracy": 0.78, "f1": 0.87},
    ]

    assert mrpc.row("x", results) == (
        "| x | 0.790 ± 0.014 | 0.860 ± 0.014 | 0.800, 0.780 |"
    )


def test_one_seed_has_no_spread():
    assert mrpc.mean_and_spread([0.5]) == "0.500"
