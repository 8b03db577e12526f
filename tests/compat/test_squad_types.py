from bert.compat.squad_types import SquadExample


def test_an_examples_text_has_its_answer_only_where_it_has_one():
    example = SquadExample("q", "Who?", ["a", "b"], "b", 1, 1)
    assert repr(example) == (
        "qas_id: q, question_text: Who?, doc_tokens: [a b], start_position: 1, "
        "end_position: 1, is_impossible: False"
    )
    example.start_position = 0  # as in the original
    assert str(example).endswith("[a b]")
