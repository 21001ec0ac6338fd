"""The list of tools keeps its contract."""

from __future__ import annotations

from chat.tools.registry import TOOLS


def test_every_tool_describes_itself_to_people_and_to_models() -> None:
    for tool in TOOLS:
        assert tool.name.isidentifier()
        assert tool.name.islower()
        assert str(tool.label)
        assert len(tool.description) > 20
        assert tool.parameters["type"] == "object"
        assert set(tool.parameters.get("required", ())) <= set(tool.parameters["properties"])
        assert 0 < tool.timeout <= 60
