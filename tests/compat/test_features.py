from bert import extract_features
from tests.compat.tokenizers import Words


def test_lines_become_features(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"a\rb c ||| d\r\n\n")  # as the original reads it

    examples = extract_features.read_examples(str(path))
    pair, empty = extract_features.convert_examples_to_features(
        examples, 8, Words()
    )

    assert pair.tokens == ["[CLS]", "ab", "c", "[SEP]", "d", "[SEP]"]
    assert pair.input_type_ids == [0, 0, 0, 0, 1, 1, 0, 0]
    assert (empty.unique_id, empty.tokens) == (1, ["[CLS]", "[SEP]"])
