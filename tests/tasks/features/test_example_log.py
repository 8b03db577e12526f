from bert.tasks.features import example_log


def test_a_line_is_shown_as_the_original_shows_it(caplog):
    caplog.set_level("INFO", logger="absl")
    example_log.log(3, ["[CLS]"], {"input_ids": [1, 0], "segment_ids": [0, 0]})
    assert caplog.messages == [
        "*** Example ***",
        "unique_id: 3",
        "tokens: [CLS]",
        "input_ids: 1 0",
        "input_type_ids: 0 0",
    ]
