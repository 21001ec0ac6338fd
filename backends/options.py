"""The options of a server as people type them: checked against what its adapter lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backends.adapters.options import Option
from backends.adapters.registry import KINDS, adapter_class


def options_of(kind: str) -> tuple[Option, ...]:
    """What can be set for servers of a kind; nothing for an unknown one."""
    return adapter_class(kind).options if kind in KINDS else ()


def clean_option(option: Option, typed: str) -> str:
    """The value, empty for none. Raises ValidationError."""
    value = typed.strip()
    if value and not option.accepts(value):
        raise ValidationError(problem(option))
    return value


def problem(option: Option) -> str:
    """What its value has to be."""
    if option.choices:
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(dict(option.choices))}
    if option.minimum:
        return _("Enter a whole number from %(minimum)d.") % {"minimum": option.minimum}
    return _("This value does not fit. %(help)s") % {"help": _(option.help) if option.help else ""}


def clean_options(kind: str, typed: Mapping[str, str]) -> dict[str, str]:
    """All options that are set. Raises ValidationError, also for one that the kind does not have."""
    known = {option.name: option for option in options_of(kind)}
    if unknown := sorted(typed.keys() - known.keys()):
        names = ", ".join(known) or _("none")
        raise ValidationError(
            _("%(name)s: no such option. There are: %(names)s.") % {"name": unknown[0], "names": names}
        )
    cleaned: dict[str, str] = {}
    for name, value in typed.items():
        try:
            cleaned[name] = clean_option(known[name], value)
        except ValidationError as error:
            raise ValidationError(f"{name}: {error.messages[0]}") from None
    return {name: value for name, value in cleaned.items() if value}


def read_lines(lines: Iterable[str]) -> dict[str, str]:
    """``name=value`` a line, as a shell and Django's admin have them. Raises ValidationError."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, lines)):
        name, sign, value = line.partition("=")
        if not sign:
            raise ValidationError(_("%(line)s: write name=value.") % {"line": line})
        found[name.strip()] = value.strip()
    return found


def write_lines(options: Mapping[str, str]) -> str:
    """The counterpart of :func:`read_lines`."""
    return "\n".join(f"{name}={value}" for name, value in options.items())
