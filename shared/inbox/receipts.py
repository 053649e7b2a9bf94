"""Take events once: a row of the inbox commits with the effect of its event.

Everything here joins the caller's transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection


def receive(*, consumer: str, event_ids: Sequence[str]) -> tuple[frozenset[str], datetime]:
    """Note that `consumer` takes these events. Return those that are new to it, and the database's time.

    If the caller's transaction rolls back, the events were never taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_inboxmessage (consumer, event_id) SELECT %s, unnest(%s::text[])"
            " ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id",
            [consumer, list(event_ids)],
        )
        taken = frozenset(event_id for (event_id,) in cursor.fetchall())
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    return taken, now
