"""The servers and the hubs on them."""

from tests.services.fixtures import (
    pair,
    pair_fake,
    postgres,
    redis,
    running_pair,
    service_fake,
    third,
    with_tables,
)

__all__ = ["pair", "pair_fake", "postgres", "redis", "running_pair", "service_fake", "third", "with_tables"]
