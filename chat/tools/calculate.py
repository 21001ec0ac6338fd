"""A calculator that does not guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy

from chat.tools.arithmetic import CannotCalculate, calculate, written
from chat.tools.base import Caller, Tool, ToolError, ToolResult


class Calculate(Tool):
    """Exact results for whole numbers, decimals and fractions."""

    name: ClassVar[str] = "calculate"
    label: ClassVar[Any] = gettext_lazy("Calculate")
    description: ClassVar[str] = (
        "Calculate exactly. Operators + - * / // % ** and parentheses; functions sqrt, abs, round, floor, ceil, "
        "min, max, sum, gcd, lcm, factorial, exp, ln, log(x, base), log10, sin, cos, tan, asin, acos, atan, degrees, "
        "radians (angles in radians); constants pi, e. No thousands separators."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "expression": {"type": "string", "description": "For example (1 + 2/3) * 12.50"},
        },
        "required": ["expression"],
    }
    timeout: ClassVar[float] = 5.0

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The result. Raises ToolError for what is no calculation, or too large a one."""
        try:
            return ToolResult(written(calculate(str(arguments["expression"]))))
        except CannotCalculate as error:
            raise ToolError(str(error)) from error
