"""What administrators allow models to call, and what a person has decided for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.models.conversation import Conversation

if TYPE_CHECKING:
    from uuid import UUID

    from privatechathub.accounts.models import User

#: In place of a tool's name: all of them.
ALL_TOOLS = "*"
NAME_LENGTH = 200


class Verdict(models.TextChoices):
    """What happens when a model calls a tool."""

    ASK = "ask", _("Ask first")
    ALLOW = "allow", _("Allow")
    DENY = "deny", _("Deny")


#: The strictest last.
_ORDER = (Verdict.ALLOW, Verdict.ASK, Verdict.DENY)


class ToolPolicy(models.Model):
    """An administrator's rule for a tool, or for all (``*``), for a group or for everybody.

    A rule for a group comes before one for everybody, one for the tool before one for all; a person in
    several groups gets the strictest. A denial for all tools holds in any case: it switches them off.
    """

    tool = models.CharField(_("tool"), max_length=NAME_LENGTH, help_text=_("Its name, or * for all tools."))
    group = models.ForeignKey(
        Group,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tool_policies",
        verbose_name=_("group"),
        help_text=_("Empty: everybody."),
    )
    verdict = models.CharField(_("rule"), max_length=5, choices=Verdict)

    class Meta:
        ordering = ["tool", "group__name"]
        verbose_name = _("rule for a tool")
        verbose_name_plural = _("rules for tools")
        constraints = [
            models.UniqueConstraint(fields=["tool", "group"], name="one_policy_per_tool_and_group"),
            models.UniqueConstraint(
                fields=["tool"], condition=Q(group=None), name="one_policy_per_tool_for_everybody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.verdict}"

    @classmethod
    def of(cls, user: User | int) -> Policies:
        """The rules that hold for this person. One query."""
        pk = user if isinstance(user, int) else user.pk
        rows = cls.objects.filter(Q(group=None) | Q(group__user=pk)).distinct()
        return Policies([(row.tool, row.group_id is not None, Verdict(row.verdict)) for row in rows])


class Policies:
    """Administrators' rules as they hold for one person."""

    def __init__(self, rules: list[tuple[str, bool, Verdict]]) -> None:
        self._rules = rules

    def verdict(self, tool: str) -> Verdict | None:
        """What holds for the tool; None where nothing is said."""
        if Verdict.DENY in self._for(ALL_TOOLS):
            return Verdict.DENY
        for name in (tool, ALL_TOOLS):
            if found := self._for(name):
                return max(found, key=_ORDER.index)
        return None

    def _for(self, name: str) -> list[Verdict]:
        """The rules of the person's groups; where there are none, that for everybody."""
        rules = [(of_group, verdict) for tool, of_group, verdict in self._rules if tool == name]
        of_groups = [verdict for of_group, verdict in rules if of_group]
        return of_groups or [verdict for _of_group, verdict in rules]


class ToolRule(models.Model):
    """A person's standing word on a tool: everywhere, or in one conversation, which comes first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tool_rules")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="tool_rules"
    )
    tool = models.CharField(max_length=NAME_LENGTH)
    verdict = models.CharField(max_length=5, choices=Verdict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "conversation", "tool"], name="one_rule_per_tool_and_conversation"
            ),
            models.UniqueConstraint(
                fields=["user", "tool"], condition=Q(conversation=None), name="one_rule_per_tool"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.verdict}"

    @classmethod
    def of(cls, user_id: int, conversation_id: UUID) -> dict[str, Verdict]:
        """Tool -> what holds in that conversation. One query."""
        rows = cls.objects.filter(Q(conversation=None) | Q(conversation=conversation_id), user_id=user_id)
        found = sorted(rows, key=lambda row: row.conversation_id is not None)
        return {row.tool: Verdict(row.verdict) for row in found}

    @classmethod
    def put(cls, user_id: int, conversation_id: UUID | None, tool: str, verdict: str) -> None:
        """Say it; an empty verdict takes it back."""
        mine = cls.objects.filter(user_id=user_id, conversation_id=conversation_id, tool=tool)
        if not verdict:
            mine.delete()
        elif not mine.update(verdict=verdict):
            cls.objects.create(user_id=user_id, conversation_id=conversation_id, tool=tool, verdict=verdict)
