"""Adding up what the rounds of one answer took."""

from __future__ import annotations

from dataclasses import replace

from backends.adapters.events import Usage


def total(before: Usage | None, usage: Usage) -> Usage:
    """All rounds together: tokens and time add up; speed is the last one's, the wait for a word the first's."""
    if before is None:
        return usage
    return replace(
        usage,
        input_tokens=_sum(before.input_tokens, usage.input_tokens),
        output_tokens=_sum(before.output_tokens, usage.output_tokens),
        reasoning_tokens=_sum(before.reasoning_tokens, usage.reasoning_tokens),
        cached_tokens=_sum(before.cached_tokens, usage.cached_tokens),
        ttft_s=before.ttft_s,
        load_s=before.load_s,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
