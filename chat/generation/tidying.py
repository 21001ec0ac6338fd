"""What nothing names any more is deleted."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from backends.database import write_transaction
from chat.models import Generation, StoredText

#: How long a text that nothing names is kept: longer than any transaction that is about to name it.
SPARED = timedelta(hours=1)


def forget_unused_texts() -> int:
    """Delete texts that no receipt names. Gives their number. Who is about to name one has locked its row."""
    system = Exists(Generation.objects.filter(system_text=OuterRef("pk")))
    tools = Exists(Generation.objects.filter(tools_text=OuterRef("pk")))
    unused = StoredText.objects.filter(~system, ~tools, used_at__lt=timezone.now() - SPARED)
    with write_transaction():
        keys = list(unused.select_for_update(skip_locked=True).values_list("pk", flat=True))
        StoredText.objects.filter(pk__in=keys).delete()
    return len(keys)
