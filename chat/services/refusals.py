"""Why the hub does not do what it was asked; the text is for the person."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed. ``str()`` says why and what to do, translated."""
