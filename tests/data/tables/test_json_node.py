import pytest

from bert.data.tables import json_node
from bert.errors import UserError


@pytest.fixture
def node(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"list": [1, {"key": true}], "text": "x"}')
    return json_node.read(str(path))


def test_values_know_where_they_stand(node):
    second = list(node.child("list", list).items(object))[1]
    assert second.place == "list[1]"
    assert second.child("key", bool).place == "list[1].key"
    assert second.child("key", bool).value is True


@pytest.mark.parametrize(
    ("key", "kind", "message"),
    [
        ("other", str, r'a\.json: expected the key "other"\. Received: the k'),
        ("text", list, r'a\.json, text: expected a list\. Received: "x"\.'),
        ("list", dict, r'list: expected an object\. Received: \[1, {"key": t'),
    ],
)
def test_what_is_not_of_its_type_is_named(node, key, kind, message):
    with pytest.raises(UserError, match=message):
        node.child(key, kind)


def test_true_is_no_number(node):
    items = node.child("list", list).items(object)
    with pytest.raises(UserError, match=r"an integer\. Received: true"):
        list(items)[1].child("key", int)


def test_a_long_value_is_shortened(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(f"[{'1, ' * 1000}2]")
    with pytest.raises(UserError) as error:
        json_node.read(str(path)).check(dict)
    assert len(str(error.value)) < 130 + len(str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[" * 100_000,
            r"a\.json: expected sound JSON \(it nests too deeply\)",
        ),
        ("9" * 5000, "sound JSON .*a number of more than 4300 digits"),
        (
            '{"data": [{"id": 1}, {"id": 2, "x": 0, "id": 2}]}',
            r"a\.json: .*the key 'id' twice in data\[1\]\)",
        ),
        ('{"a": {"b": 1, "b": 2}, "a": 3}', r"the key 'a' twice\)"),
    ],
)
def test_what_json_takes_and_cannot_be_used_is_named(
    tmp_path, content, message
):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as raised:
        json_node.read(str(path))
    assert len(str(raised.value)) < 200 + len(str(path))


def test_a_key_among_many_is_soon_found():
    """Else a short request keeps a server busy for hours, or full."""
    many = ", ".join(f'"{number}": 0' for number in range(100_000))
    with pytest.raises(ValueError, match="the key '99999' twice"):
        json_node.parse_text(f'{{{many}, "99999": 1}}')
    key = "k" * 10**6
    wide = f'{{"{key}": [{"0, " * 100_000} {{"b": 1, "b": 2}}]}}'
    with pytest.raises(ValueError, match=r"twice in k{80}\[100000\]"):
        json_node.parse_text(wide)


def test_lines_know_their_place(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"a": 1}\r\n\n{"a": "\\u00e9"}'.encode())
    read = json_node.read_lines(str(path))
    assert [value for _, value in read] == [{"a": 1}, {"a": "é"}]
    assert [place.line for place, _ in read] == [1, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "an empty file"),
        ('{"a": 1}\n{"a": \n', r"line 2: expected a JSON object \("),
        ("[1]", "line 1: expected a JSON object"),
        ('{"a": "\\ud800"}', r"line 1: .*not a sound text: \\ud800 is half"),
        ("[" * 100_000, "line 1: expected a JSON object .*nests too deeply"),
        ('{"a": ' + "9" * 5000 + "}", r"line 1: .*of more than 4300 digits\)"),
        (
            '{"a": 1}\n{"a": 1, "b": 2, "a": 3}',
            r"a\.jsonl, line 2: .* object \(it has the key 'a' twice\)",
        ),
        ('{"a": [0, {"b": 1, "b": 2}]}', r"the key 'b' twice in a\[1\]\)"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path, content, message):
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as raised:
        json_node.read_lines(str(path))
    assert len(str(raised.value)) < 500
