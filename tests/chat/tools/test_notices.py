"""Messages of models for people."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.models import Notice
from chat.services.sending import Sent
from privatechathub.accounts.models import User


def test_a_notice_is_counted_and_read(alice: User, bob: User, ask: Callable[..., Sent]) -> None:
    conversation = ask().conversation
    notice = Notice.objects.leave(alice.pk, "Tea", "It is ready.", conversation.pk)
    assert notice.conversation == conversation
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.unread_notices, bob.unread_notices) == (1, 0)
    Notice.objects.read(bob)
    alice.refresh_from_db()
    assert alice.unread_notices == 1
    Notice.objects.read(alice)
    alice.refresh_from_db()
    assert alice.unread_notices == 0


def test_a_notice_never_points_into_anothers_conversation(bob: User, ask: Callable[..., Sent]) -> None:
    assert Notice.objects.leave(bob.pk, "x", "y", ask().conversation.pk).conversation is None


def test_only_the_newest_are_kept(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.models.notice.KEPT", 3)
    for number in range(5):
        Notice.objects.leave(alice.pk, f"n{number}", "x" * 9000)
    assert [row.title for row in Notice.objects.owned_by(alice)] == ["n4", "n3", "n2"]
    assert len(Notice.objects.all()[0].text) == 2000
