from bert.evaluation.bands import in_bands


def test_rows_of_bands_that_have_some():
    found = in_bands([1, 3, 9, 2, 100, 1], (1, 2, 4, 8))
    assert [(name, rows.tolist()) for name, rows in found] == [
        ("1", [0, 5]),
        ("2–3", [1, 3]),
        ("8+", [2, 4]),
    ]


def test_no_rows():
    assert in_bands([], (0, 5)) == []
