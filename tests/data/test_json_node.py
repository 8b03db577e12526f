import pytest

from data import json_node
from errors import UserError


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
