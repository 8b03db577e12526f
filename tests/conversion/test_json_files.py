import pytest

from bert.conversion.json_files import read_json
from bert.errors import UserError


def test_an_object_is_read_as_utf8(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes('{"ä": [1, null]}'.encode())

    assert read_json(str(path)) == {"ä": [1, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not valid JSON: Expecting value"),
        (b'{"a": 1,}', "is not valid JSON: "),
        (b'{"\xff": 1}', "is not valid JSON: 'utf-8' codec"),
        (b"[" * 100000, "is not valid JSON: maximum recursion depth"),
        (b"[{}]", "must hold a JSON object. Received: list."),
        (b"null", "must hold a JSON object. Received: NoneType."),
    ],
)
def test_what_is_no_object_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(UserError) as caught:
        read_json(str(path))

    assert str(caught.value).startswith(f"{path} {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, reason in (
        (tmp_path / "none.json", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UserError) as caught:
            read_json(str(path))
        assert str(caught.value) == f"Cannot read {path}: {reason}."
