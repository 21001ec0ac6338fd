"""Why something outside was not fetched. Each text is a sentence for the model and for the person."""

from __future__ import annotations


class OutsideError(Exception):
    """It could not be had."""


class InternetOff(OutsideError):
    """No administrator has allowed the internet."""


class Refused(OutsideError):
    """The guard does not let it through: the address, the scheme, what is in the URL."""


class Unreachable(OutsideError):
    """No such name, no connection, no TLS, or it broke."""


class TooSlow(OutsideError):
    """Not whole within its time."""


class TooLarge(OutsideError):
    """More bytes than are taken, on the wire or unpacked."""


class WrongType(OutsideError):
    """Not a type, or not a compression, that was asked for."""


class BadStatus(OutsideError):
    """The server answered, but not with what was asked for. ``status`` is its HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
