"""Count the events of types that this release does not know and that no producer requires it to know."""

from collections.abc import Mapping

from django.db import connection

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
