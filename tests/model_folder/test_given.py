from bert.model_folder.given import Given


def test_what_is_given_is_named_by_its_flag():
    assert Given().flags() == {}
    given = Given(max_seq_length=8, do_lower_case=False, task="ner")
    assert given.flags() == {
        "--task": "ner",
        "--do_lower_case": "False",
        "--max_seq_length": "8",
    }
