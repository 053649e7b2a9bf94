"""Count the events of types that this release does not know and that no producer requires it to know.

A replay by a newer release takes from that count, so that `doctor` names only what is still to do.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import F

from shared.events import message_class
from shared.inbox.models import SkippedType

_COUNT = """
    INSERT INTO inbox_skippedtype (consumer, topic, event_type, count)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (consumer, topic, event_type)
    DO UPDATE SET count = inbox_skippedtype.count + EXCLUDED.count, last_at = now()
"""


def count_skipped(*, consumer: str, skipped: Mapping[tuple[str, str], int]) -> None:
    """Add to the number of skipped events of each (topic, type). Joins the caller's transaction.

    Call it last in the transaction: other consumers of the type wait for these rows until it ends. A record that Kafka
    delivers twice counts twice.
    """
    if not skipped:
        return
    ordered = sorted(skipped)  # so that two consumers do not wait for each other
    topics, types = [topic for topic, _ in ordered], [type_ for _, type_ in ordered]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [consumer, topics, types, [skipped[names] for names in ordered]])


def count_replayed(*, consumer: str, topic: str, event_type: str) -> None:
    """Take one event from the number of skipped events, because it took effect. Joins the caller's transaction."""
    rows = SkippedType.objects.filter(consumer=consumer, topic=topic, event_type=event_type)
    rows.filter(count__gt=0).update(count=F("count") - 1)
    rows.filter(count=0).delete()


def forget_skipped(*, consumer: str, event_type: str | None, last_before: datetime) -> None:
    """Delete the counts of this type, or of all, whose last event was skipped before `last_before`.

    For a replay that left none of their events: what is still counted came twice, or Kafka keeps it no more.
    """
    rows = SkippedType.objects.filter(consumer=consumer, last_at__lt=last_before)
    if event_type is not None:
        rows = rows.filter(event_type=event_type)
    for name in list(rows.order_by().values_list("event_type", flat=True)):
        if message_class(name) is not None:
            rows.filter(event_type=name).delete()
