"""Arguments against schemas, and switches."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.models import CatalogueModel
from chat.generation.texts import cleaned
from chat.models import Conversation, Project
from chat.tools.checking import LONGEST, wrong_with
from chat.tools.support import takes_tools
from chat.tools.switches import in_force, is_on, wanted
from privatechathub.accounts.models import User
from tests.chat.tooling import Adder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("arguments", "schema", "wrong"),
    [
        ({}, {}, ""),
        ({"a": 1}, {"properties": {"a": {"type": "integer"}}}, ""),
        ({"a": "1"}, {"properties": {"a": {"type": "integer"}}}, "a: '1' is not of type 'integer'"),
        ({}, {"required": ["a"]}, "'a' is a required property"),
        (
            {"a": [{"b": 1}]},
            {"properties": {"a": {"items": {"properties": {"b": {"enum": [2]}}}}}},
            "a.0.b: ",
        ),
        ({"a": 1}, {"type": "no such type"}, ""),
        (
            {"a": 1},
            {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"maximum": 0}}},
            "a: 1 is greater",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments: dict[str, Any], schema: dict[str, Any], wrong: str) -> None:
    found = wrong_with(arguments, schema)
    assert found.startswith(wrong)
    assert bool(found) is bool(wrong)


def test_a_schema_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("it went out")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert wrong_with({"a": 1}, {"properties": {"a": {"$ref": "http://example.org/schema.json"}}}) == ""


def test_what_is_wrong_is_short() -> None:
    assert len(wrong_with({"a": "x" * 10_000}, {"properties": {"a": {"type": "integer"}}})) <= LONGEST


@given(st.dictionaries(st.text(), JSON), JSON)
def test_nothing_that_a_model_writes_breaks_the_check(arguments: dict[str, Any], odd: Any) -> None:
    wrong_with(arguments, {"properties": {"a": {"const": odd}}, "required": list(arguments)[:1]})


@given(JSON)
def test_what_is_kept_has_the_same_shape(value: Any) -> None:
    kept = cleaned(value)
    assert type(kept) is type(value)
    assert "\x00" not in str(kept)


def switches(person: Any, project: Any, conversation: Any) -> Any:
    """What holds in a conversation of a project, and in one of none."""
    owner, parent = User(tools=person), Project(tools=project)
    inside = Conversation(project=parent, tools=conversation)
    assert in_force(owner, Conversation(tools=conversation)) == {**person, **conversation}
    assert in_force(owner) == person
    assert in_force(owner, project=parent) == {**person, **project}
    return in_force(owner, inside)


@pytest.mark.parametrize(
    ("person", "project", "conversation", "result"),
    [
        ({}, {}, {}, False),
        ({"*": True}, {}, {}, True),
        ({"*": True}, {}, {"*": False}, False),
        ({}, {}, {"*": True}, True),
        ({"add": True}, {}, {}, False),
        ({}, {"*": True}, {}, True),
        ({"*": True}, {"*": False}, {}, False),
        ({}, {"*": False}, {"*": True}, True),
    ],
)
def test_tools_are_off_until_somebody_wants_them(
    person: Any, project: Any, conversation: Any, result: bool
) -> None:
    assert wanted(switches(person, project, conversation)) is result


@pytest.mark.parametrize(
    ("person", "project", "conversation", "result"),
    [
        ({}, {}, {}, True),
        ({"add": False}, {}, {}, False),
        ({"add": False}, {}, {"add": True}, True),
        ({"add": True}, {}, {"add": False}, False),
        ({"add": True}, {"add": False}, {}, False),
        ({}, {"add": False}, {"add": True}, True),
    ],
)
def test_the_conversation_s_switch_comes_first_then_the_project_s(
    person: Any, project: Any, conversation: Any, result: bool
) -> None:
    assert is_on(Adder(), switches(person, project, conversation)) is result


@pytest.mark.parametrize(
    ("kind", "capabilities", "result"),
    [
        ("ollama", ["tools"], True),
        ("ollama", ["chat"], False),
        ("ollama", None, True),
        ("openai", None, True),
        ("openai-responses", None, True),
        ("olla", None, True),
        ("lmstudio", ["tools"], False),
        ("opencode", ["tools"], False),
        ("ollm", None, False),
    ],
)
def test_which_models_are_offered_tools(kind: str, capabilities: list[str] | None, result: bool) -> None:
    assert takes_tools(kind, CatalogueModel(model_id="m", capabilities=capabilities)) is result
