from bert.data.corpus import instance_records


def test_files_take_turns_and_empty_ones_exist(tmp_path, caplog):
    caplog.set_level("INFO", logger="absl")
    paths = [str(tmp_path / name) for name in "abcd"]
    instance_records.write([b"1", b"2", b"3", b"4", b"5"], paths[:3])
    instance_records.write([], paths[3:])
    found = [(tmp_path / name).read_bytes() for name in "abcd"]
    assert found == [b"14", b"25", b"3", b""]
    assert caplog.messages == [
        "Wrote 5 total instances",
        "Wrote 0 total instances",
    ]
