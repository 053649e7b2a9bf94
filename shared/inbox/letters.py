"""Keep dead letters, park the later events of their key behind them, and find those to try again.

Everything here joins the caller's transaction. Whether a key has open dead letters is decided under that key's advisory
lock. So an event that arrives while earlier ones are retried neither overtakes them nor is forgotten.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now

from shared.inbox.models import DeadLetter
from shared.kafka.records import Record


def is_blocked(*, consumer: str, keys: Iterable[tuple[str, str]]) -> bool:
    """Return whether any of these (topic, key) has an open dead letter: neither retried nor discarded."""
    wanted = {(topic, key) for topic, key in keys if key}
    if not wanted:
        return False
    rows = (
        DeadLetter.objects.filter(
            consumer=consumer,
            status__in=DeadLetter.OPEN,
            key__in={key for _, key in wanted},
        )
        .order_by()
        .values_list("topic", "key")
        .distinct()
    )
    return not wanted.isdisjoint(rows)


def park_behind(*, consumer: str, record: Record) -> bool:
    """Keep `record` behind the open dead letters of its key and return True, or False if there are none any more."""
    lock_key(consumer=consumer, topic=record.topic, key=record.key)
    if not is_blocked(consumer=consumer, keys=[(record.topic, record.key)]):
        return False
    _keep(
        consumer=consumer,
        record=record,
        status=DeadLetter.Status.PARKED,
        cause="waits behind an earlier one",
    )
    return True


def keep_dead_letter(*, consumer: str, record: Record, fault: DeadLetter.Fault, cause: str, attempts: int) -> None:
    """Keep `record` as a dead letter. Later events of its key wait until it is retried or discarded."""
    lock_key(consumer=consumer, topic=record.topic, key=record.key)
    _keep(
        consumer=consumer,
        record=record,
        status=DeadLetter.Status.DEAD,
        fault=fault,
        cause=cause[:2000].replace("\x00", ""),
        attempts=attempts,
    )


def recent_handler_failures(*, consumer: str, within: timedelta) -> int:
    """Return how many dead letters of failed handlers are open and younger than `within`."""
    return DeadLetter.objects.filter(
        consumer=consumer,
        status=DeadLetter.Status.DEAD,
        fault=DeadLetter.Fault.HANDLER,
        changed_at__gt=Now() - within,
    ).count()


def waiting_keys(*, consumer: str) -> list[tuple[str, str]]:
    """Return each (topic, key) whose oldest open dead letter is due.

    It is due if staff asked for a retry, or if it is parked and no dead letter is before it any more.
    """
    open_rows = DeadLetter.objects.filter(consumer=consumer, status__in=DeadLetter.OPEN)
    oldest = open_rows.filter(topic=OuterRef("topic"), key=OuterRef("key")).order_by("id")
    rows = (
        open_rows.exclude(status=DeadLetter.Status.DEAD)
        .filter(Q(key="") | Q(id=Subquery(oldest.values("id")[:1])))
        .order_by("id")
        .values_list("topic", "key")[:100]
    )
    return list(dict.fromkeys((topic, key) for topic, key in rows))


def oldest_to_retry(*, consumer: str, topic: str, key: str) -> DeadLetter | None:
    """Return the oldest open dead letter of the key under the key's lock, or None if it is dead or there is none.

    Letters without a key do not wait for each other. For them it is the oldest one that staff want retried.
    """
    lock_key(consumer=consumer, topic=topic, key=key)
    rows = DeadLetter.objects.filter(consumer=consumer, topic=topic, key=key, status__in=DeadLetter.OPEN).order_by("id")
    if not key:
        rows = rows.exclude(status=DeadLetter.Status.DEAD)
    letter = rows.first()
    return letter if letter and letter.status != DeadLetter.Status.DEAD else None


def mark_retried(letter: DeadLetter) -> None:
    """Note, in the transaction of its effect, that the dead letter took effect."""
    DeadLetter.objects.filter(id=letter.id).update(status=DeadLetter.Status.RETRIED, changed_at=Now())


def keep_again(*, dead_letter_id: int, fault: DeadLetter.Fault, cause: str) -> None:
    """Note that the retry of the dead letter failed too."""
    DeadLetter.objects.filter(id=dead_letter_id, status__in=DeadLetter.OPEN).update(
        status=DeadLetter.Status.DEAD,
        fault=fault,
        cause=cause[:2000].replace("\x00", ""),
        changed_at=Now(),
    )


def record_of(letter: DeadLetter) -> Record:
    """Return the message of a dead letter as a record. If its headers were unreadable, it keeps that defect."""
    unreadable = letter.fault == DeadLetter.Fault.MESSAGE and not letter.headers
    return Record(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=letter.key,
        headers=[(name, b64decode(value)) for name, value in letter.headers],
        value=None if letter.value is None else bytes(letter.value),
        defect=letter.cause if unreadable else "",
    )


def lock_key(*, consumer: str, topic: str, key: str) -> None:
    """Lock the key's dead letters until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 57))",
            [f"{consumer} {topic} {key}"],
        )


def _keep(*, consumer: str, record: Record, status: DeadLetter.Status, **fields: object) -> None:
    DeadLetter.objects.get_or_create(
        consumer=consumer,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        event_id=record.attribute("ce_id"),
        defaults={
            "key": record.key,
            "event_type": record.attribute("ce_type"),
            "headers": [[name.replace("\x00", ""), b64encode(value).decode()] for name, value in record.headers],
            "value": record.value,
            "status": status,
            **fields,
        },
    )
