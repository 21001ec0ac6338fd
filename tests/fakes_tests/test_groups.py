"""That tests of one group run in one process, as their fixtures count on; it went unnoticed once that they did not."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("guard")
def test_a_group_is_known_to_what_distributes_tests(request: pytest.FixtureRequest) -> None:
    distributed = bool(request.config.getoption("loadgroup", default=False))

    assert request.node.nodeid.endswith("@guard") == distributed
