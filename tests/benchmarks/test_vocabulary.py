from benchmarks import vocabulary


def test_ratios_are_medians_of_the_rounds():
    rounds = [
        {"learn": 2.0, "tokenizers' trainer": 1.0},
        {"learn": 6.0, "tokenizers' trainer": 4.0},
        {"learn": 3.0, "tokenizers' trainer": 1.0},
    ]

    assert vocabulary.table(rounds)[2:] == [
        "| learn | 3.0 | 2.00 |",
        "| tokenizers' trainer | 1.0 | 1.00 |",
    ]
