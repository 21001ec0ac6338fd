"""Exact arithmetic on what people and models write.

Python's own parser reads the text, nothing of it is executed: only the nodes below mean something. Values are
fractions; what has no exact value (a root, a sine) is rounded to 34 digits and marked.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction

MAX_LENGTH = 500
#: Bits of a numerator or a denominator: some 4200 digits, which Python still writes out.
MAX_BITS = 14_000
_MAX_DEPTH = 60
_MAX_FACTORIAL = 1400
#: Decimal exponents of literals and of rounded results.
_MAX_EXPONENT = 4000
_ROUNDED = Context(
    prec=34, Emax=_MAX_EXPONENT, Emin=-_MAX_EXPONENT, traps=[DivisionByZero, InvalidOperation, Overflow]
)
_ALLOWED = re.compile(r"[0-9A-Za-z_.,+\-*/%()\s]*")
_SPELLINGS = {
    "^": "**",
    "×": "*",
    "·": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "π": " pi ",
    "√": "sqrt",
    "²": "**2",
}
_SPELLINGS |= {"³": "**3", "\u00a0": " ", "\u202f": " "}


class CannotCalculate(Exception):
    """The text is no calculation, or too large a one; the message is for the model."""


@dataclass(frozen=True, slots=True)
class Number:
    """``exact`` is False once anything was rounded."""

    value: Fraction
    exact: bool = True


def calculate(text: str) -> Number:
    """The value. Raises CannotCalculate, quickly also where the result would be enormous."""
    for sign, spelling in _SPELLINGS.items():
        text = text.replace(sign, spelling)
    text = text.strip().removesuffix("=").strip()
    if len(text) > MAX_LENGTH:
        raise CannotCalculate(f"The calculation is longer than {MAX_LENGTH} characters.")
    if not text or not _ALLOWED.fullmatch(text):
        raise CannotCalculate(
            "That is not a calculation. Use numbers, + - * / // % **, parentheses and functions."
        )
    text = " ".join(text.split())
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CannotCalculate("The calculation cannot be read. Write it like (2 + 3) * 4.") from None
    return _value(tree.body, text, 0)


def _value(node: ast.expr, text: str, depth: int) -> Number:
    if depth > _MAX_DEPTH:
        raise CannotCalculate("The calculation is nested too deeply.")
    match node:
        case ast.Constant():
            return _literal(node, text)
        case ast.Name() if node.id.lower() in _CONSTANTS:
            return _CONSTANTS[node.id.lower()]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
            inner = _value(node.operand, text, depth + 1)
            return Number(-inner.value, inner.exact) if isinstance(node.op, ast.USub) else inner
        case ast.BinOp() if type(node.op) in _OPERATORS:
            left = _value(node.left, text, depth + 1)
            right = _value(node.right, text, depth + 1)
            return _bounded(_guarded(lambda: _OPERATORS[type(node.op)](left, right)))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name.lower() in _FUNCTIONS:
            values = [_value(argument, text, depth + 1) for argument in node.args]
            return _bounded(_guarded(lambda: _FUNCTIONS[name.lower()](*values)))
        case _:
            raise CannotCalculate(f"Only numbers, operators and these functions: {', '.join(_FUNCTIONS)}.")


def _literal(node: ast.Constant, text: str) -> Number:
    """As it is written: 0.1 is a tenth."""
    if type(node.value) is int:
        return _bounded(Number(Fraction(node.value)))
    if type(node.value) is not float:
        raise CannotCalculate("Only numbers can be calculated with.")
    decimal = Decimal(ast.get_source_segment(text, node) or "NaN")
    if abs(decimal.adjusted()) > _MAX_EXPONENT:
        raise _too_large()
    return Number(Fraction(decimal))


def _guarded(work: Callable[[], Number]) -> Number:
    try:
        return work()
    except (ZeroDivisionError, DivisionByZero):
        raise CannotCalculate("Something is divided by zero.") from None
    except (OverflowError, Overflow):
        raise _too_large() from None
    except TypeError:
        raise CannotCalculate("A function has the wrong number of arguments.") from None
    except (ValueError, DecimalException):
        raise CannotCalculate("A function is not defined for that value.") from None


def _bounded(number: Number) -> Number:
    if max(number.value.numerator.bit_length(), number.value.denominator.bit_length()) > MAX_BITS:
        raise _too_large()
    return number


def _too_large() -> CannotCalculate:
    return CannotCalculate("A number on the way is too large or too small.")


def _both(work: Callable[[Fraction, Fraction], Fraction | int]) -> Callable[[Number, Number], Number]:
    return lambda left, right: Number(Fraction(work(left.value, right.value)), left.exact and right.exact)


def _power(left: Number, right: Number) -> Number:
    base, exponent = left.value, right.value
    exact = left.exact and right.exact
    if exponent.denominator != 1:
        if exponent == Fraction(1, 2):
            return _root(left)
        return Number(Fraction(_ROUNDED.power(_decimal(base), _decimal(exponent))), exact=False)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if (bits - 1) * abs(exponent) > MAX_BITS:
        raise _too_large()
    return Number(Fraction(base ** int(exponent)), exact)


def _root(number: Number) -> Number:
    if number.value < 0:
        raise ValueError
    top, bottom = math.isqrt(number.value.numerator), math.isqrt(number.value.denominator)
    found = Fraction(top, bottom)
    if found * found == number.value:
        return Number(found, number.exact)
    return Number(Fraction(_ROUNDED.sqrt(_decimal(number.value))), exact=False)


def _factorial(number: Number) -> Number:
    count = _whole(number)
    if count > _MAX_FACTORIAL:
        raise _too_large()
    return Number(Fraction(math.factorial(count)), number.exact)


def _round(number: Number, digits: Number = Number(Fraction(0))) -> Number:
    places = _whole(digits)
    if abs(places) > _MAX_EXPONENT:
        raise _too_large()
    half = Fraction(1, 2) if number.value >= 0 else Fraction(-1, 2)
    scale = Fraction(10) ** places
    return Number(Fraction(math.trunc(number.value * scale + half)) / scale, number.exact)


def _whole(number: Number) -> int:
    if number.value.denominator != 1:
        raise ValueError
    return int(number.value)


def _decimal(value: Fraction) -> Decimal:
    return _ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator))


def _by_decimal(work: Callable[[Decimal], Decimal]) -> Callable[[Number], Number]:
    return lambda number: Number(Fraction(work(_decimal(number.value))), exact=False)


def _by_float(work: Callable[[float], float]) -> Callable[[Number], Number]:
    """Some 15 digits, of which twelve are kept: the rest is noise, such as sin(pi) = 1e-16."""
    return lambda number: Number(Fraction(f"{round(work(float(number.value)), 12):.12f}"), exact=False)


def _steps(work: Callable[[Fraction], int]) -> Callable[[Number], Number]:
    return lambda number: Number(Fraction(work(number.value)), number.exact)


def _of_all(work: Callable[..., Fraction | int], *, whole: bool = False) -> Callable[..., Number]:
    def call(first: Number, *others: Number) -> Number:
        numbers = (first, *others)
        values = [_whole(number) if whole else number.value for number in numbers]
        return Number(Fraction(work(*values)), all(number.exact for number in numbers))

    return call


def _log(number: Number, base: Number | None = None) -> Number:
    top = _ROUNDED.ln(_decimal(number.value))
    bottom = _ROUNDED.ln(_decimal(base.value)) if base else Decimal(1)
    return Number(Fraction(_ROUNDED.divide(top, bottom)), exact=False)


_OPERATORS: Mapping[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: _both(operator.add),
    ast.Sub: _both(operator.sub),
    ast.Mult: _both(operator.mul),
    ast.Div: _both(operator.truediv),
    ast.FloorDiv: _both(operator.floordiv),
    ast.Mod: _both(operator.mod),
    ast.Pow: _power,
}
_CONSTANTS: Mapping[str, Number] = {
    "pi": Number(Fraction("3.141592653589793238462643383279502884"), exact=False),
    "e": Number(Fraction("2.718281828459045235360287471352662498"), exact=False),
}
_FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "sqrt": _root,
    "abs": lambda number: Number(abs(number.value), number.exact),
    "round": _round,
    "floor": _steps(math.floor),
    "ceil": _steps(math.ceil),
    "min": _of_all(min),
    "max": _of_all(max),
    "sum": _of_all(lambda *values: sum(values, Fraction(0))),
    "gcd": _of_all(math.gcd, whole=True),
    "lcm": _of_all(math.lcm, whole=True),
    "factorial": _factorial,
    "exp": _by_decimal(_ROUNDED.exp),
    "ln": _by_decimal(_ROUNDED.ln),
    "log": _log,
    "log10": _by_decimal(_ROUNDED.log10),
    "sin": _by_float(math.sin),
    "cos": _by_float(math.cos),
    "tan": _by_float(math.tan),
    "asin": _by_float(math.asin),
    "acos": _by_float(math.acos),
    "atan": _by_float(math.atan),
    "degrees": _by_float(math.degrees),
    "radians": _by_float(math.radians),
}


def written(number: Number) -> str:
    """The number for a model: in full where it is exact and short enough, else rounded and marked."""
    value = number.value
    if not number.exact:
        return f"≈ {_short(value, 16)}"
    if value.denominator == 1:
        return str(value)
    if (decimal := _terminating(value)) is not None:
        return decimal
    fraction = f"{value.numerator}/{value.denominator}"
    return f"{fraction} ≈ {_short(value, 16)}" if len(fraction) <= 60 else f"≈ {_short(value, 30)}"


def _terminating(value: Fraction) -> str | None:
    """All digits of a fraction that has at most 50 after the point."""
    if 10**50 % value.denominator:
        return None
    digits = str(abs(value.numerator) * (10**50 // value.denominator)).rjust(51, "0")
    return f"{'-' if value < 0 else ''}{digits[:-50]}.{digits[-50:].rstrip('0')}"


def _short(value: Fraction, digits: int) -> str:
    context = Context(prec=digits, Emax=_MAX_EXPONENT * 2, Emin=-_MAX_EXPONENT * 2)
    rounded = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return (
        f"{rounded.normalize(context):f}" if -7 < rounded.adjusted() < 21 else f"{rounded.normalize(context)}"
    )
