"""What may be reached, apart from the public internet."""

from __future__ import annotations

from dataclasses import dataclass

from chat.outbound.addresses import Address, Network, is_listed, is_public


@dataclass(frozen=True, slots=True)
class Policy:
    """``networks``: addresses that an administrator lists. ``trusted``: hosts with their port that one wrote into
    the settings of a tool; any address will do there. ``shielded``: hosts with their port that no
    list opens: the AI servers, whose administration needs no password.
    """

    networks: tuple[Network, ...] = ()
    trusted: frozenset[tuple[str, int]] = frozenset()
    shielded: frozenset[tuple[str, int]] = frozenset()

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Whether this address, which the host's name gave, may be connected to."""
        if (host, port) in self.trusted:
            return True
        return is_public(address) or is_listed(address, self.networks)
