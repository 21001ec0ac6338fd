"""The way from a message up to the first one, read in one query that touches no other row.

A conversation shows its own messages and, where it was forked, those on the way up from the message that
it was forked from; these belong to another conversation, and what is deleted there is still shown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models.expressions import RawSQL

if TYPE_CHECKING:
    from chat.models.conversation import Conversation

#: Steps of a way that has no limit.
ENDLESS = 2**31 - 1

#: Each row counts the shown ones before it and up to it, so that the way can end after enough of them.
#: Common table expressions that refer to themselves are alike in SQLite (3.8.3) and PostgreSQL.
_WAY = """
WITH RECURSIVE way(id, parent_id, before, shown) AS (
  SELECT CAST(0 AS bigint), CAST(%s AS bigint), 0, 0
  UNION ALL
  SELECT message.id, message.parent_id, way.shown, way.shown + CASE
    WHEN message.conversation_id = %s AND message.deleted_at IS NOT NULL THEN 0
    WHEN message.conversation_id <> %s AND message.id IN ({without}) THEN 0
    ELSE 1 END
  FROM way JOIN chat_message message ON message.id = way.parent_id
  WHERE way.shown < %s AND way.id <> %s
)
SELECT id FROM way WHERE id > 0 AND (shown > before OR %s = 1)
"""


def way_up(
    conversation: Conversation,
    start: int | None,
    *,
    limit: int = ENDLESS,
    until: int = -1,
    with_hidden: bool = False,
) -> RawSQL:
    """For ``pk__in``: the shown messages from ``start`` upwards, at most ``limit`` or as far as ``until``.

    ``with_hidden``: deleted ones between them too. A message is always newer than its parent, so their order by
    key is their order on the way.
    """
    native = connection.features.has_native_uuid_field
    key = conversation.pk if native else conversation.pk.hex
    without = conversation.forked_without or [0]
    statement = _WAY.format(without=", ".join(["%s"] * len(without)))
    values = (start or 0, key, key, *without, limit, until, int(with_hidden))
    return RawSQL(statement, values)  # noqa: S611 - only places for values are put into it
