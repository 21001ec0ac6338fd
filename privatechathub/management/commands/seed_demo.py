"""``manage.py seed_demo``: made-up conversations for one person."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.demo.seeding import Seeder
from privatechathub.accounts.models import User

#: Conversations and messages: a few to look at, and what a person has after a year.
FEW, YEAR = (24, 240), (2_000, 60_000)


class Command(BaseCommand):
    """Fill a person's hub with made-up conversations."""

    help = "Fill a person's hub with made-up conversations: a few, or with --scale those of a year."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For whom, and how much."""
        parser.add_argument("username", help="who gets them; what is there already stays")
        parser.add_argument("--scale", action="store_true", help="2,000 conversations with 60,000 messages")
        parser.add_argument("--conversations", type=int)
        parser.add_argument("--messages", type=int)
        parser.add_argument("--seed", type=int, default=0, help="another number makes others")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them. Raises CommandError for an unknown name or too few messages."""
        owner = User.objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        conversations, messages = YEAR if options["scale"] else FEW
        conversations = options["conversations"] or conversations
        messages = options["messages"] or messages
        if not 0 < 2 * conversations <= messages:
            raise CommandError("Every conversation has at least two messages.")
        Seeder(owner, options["seed"]).fill(conversations, messages, self._tell(conversations))
        self.stdout.write(f"{conversations} conversations with {messages} messages were made for {owner}.")

    def _tell(self, total: int) -> Any:
        def tell(count: int) -> None:
            if total > 500 and count % 500 == 0:
                self.stdout.write(f"{count} of {total} …")

        return tell
