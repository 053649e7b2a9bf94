"""Keep dead letters, park the later events of their key behind them, and find those to try again.

Everything here joins the caller's transaction. Whether a key has open dead letters is decided under that key's advisory
lock. So an event that arrives while earlier ones are retried neither overtakes them nor is forgotten.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Final

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from shared.inbox.models import BrakedType, DeadLetter
from shared.kafka.records import Record

_PROBED_KEYS: Final = 20


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
        cause="waits behind an earlier event of its key",
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
        cause=_stored(cause),
        attempts=attempts,
    )


def keep_waiting(*, consumer: str, record: Record, fault: DeadLetter.Fault, cause: str) -> None:
    """Keep `record` until its type is handled again, or until a release knows it (fault RELEASE).

    Later events of its key wait behind it.
    """
    lock_key(consumer=consumer, topic=record.topic, key=record.key)
    _keep(
        consumer=consumer,
        record=record,
        status=DeadLetter.Status.BRAKED,
        fault=fault,
        cause=_stored(cause),
    )


def release_after_upgrade(*, consumer: str, knows: Callable[[str], bool]) -> int:
    """Make the letters due that wait for a release that `knows` their type. Return how many. Call it at the start."""
    waiting = DeadLetter.objects.filter(
        consumer=consumer, status=DeadLetter.Status.BRAKED, fault=DeadLetter.Fault.RELEASE
    )
    known = [type_ for type_ in waiting.order_by().values_list("event_type", flat=True).distinct() if knows(type_)]
    return waiting.filter(event_type__in=known).update(fault=DeadLetter.Fault.NONE, changed_at=Now())


def waiting_keys(*, consumer: str) -> list[tuple[str, str]]:
    """Return each (topic, key) whose oldest open dead letter is due.

    It is due if staff asked for a retry, if it is parked and no dead letter is before it any more, or if it waited for
    the brake of its type, which is released.
    """
    open_rows = _open(consumer=consumer)
    oldest = open_rows.filter(topic=OuterRef("topic"), key=OuterRef("key")).order_by("id")
    braked = BrakedType.objects.filter(consumer=consumer).values("event_type")
    rows = (
        open_rows.exclude(status=DeadLetter.Status.DEAD)
        .exclude(status=DeadLetter.Status.BRAKED, fault=DeadLetter.Fault.RELEASE)
        .exclude(status=DeadLetter.Status.BRAKED, event_type__in=braked)
        .filter(Q(key="") | Q(id=Subquery(oldest.values("id")[:1])))
        .order_by("id")
        .values_list("topic", "key")[:100]
    )
    return list(dict.fromkeys((topic, key) for topic, key in rows))


def oldest_to_retry(*, consumer: str, topic: str, key: str) -> DeadLetter | None:
    """Return the oldest open dead letter of the key under the key's lock.

    Return None if there is none, or if it waits for staff or for a newer release. Letters without a key do not wait for
    each other. Of these letters, it returns the oldest that staff want retried.
    """
    lock_key(consumer=consumer, topic=topic, key=key)
    rows = _open(consumer=consumer).filter(topic=topic, key=key).order_by("id")
    if not key:
        rows = rows.exclude(status=DeadLetter.Status.DEAD)
    letter = rows.first()
    return letter if letter and not _waits_for_others(letter) else None


def letter_to_probe(*, consumer: str, event_type: str, turn: int) -> DeadLetter | None:
    """Return a letter that waits for the brake of `event_type`, under its key's lock. Return None if there is none.

    No earlier event of its key waits before it. Each `turn` is another key, one of the oldest and one of the newest
    alternately, so that neither one event that always fails nor a burst of them can keep the brake.
    """
    oldest = _open(consumer=consumer).filter(topic=OuterRef("topic"), key=OuterRef("key")).order_by("id")
    waiting = DeadLetter.objects.filter(
        consumer=consumer,
        status=DeadLetter.Status.BRAKED,
        event_type=event_type,
        id=Subquery(oldest.values("id")[:1]),
    ).exclude(fault=DeadLetter.Fault.RELEASE)
    candidates = list(waiting.order_by("-id" if turn % 2 else "id").values_list("topic", "key")[:_PROBED_KEYS])
    if not candidates:
        return None
    topic, key = candidates[turn // 2 % len(candidates)]
    letter = oldest_to_retry(consumer=consumer, topic=topic, key=key)
    return letter if letter and letter.status == DeadLetter.Status.BRAKED else None


def mark_retried(letter: DeadLetter) -> None:
    """Note, in the transaction of its effect, that the dead letter took effect."""
    DeadLetter.objects.filter(id=letter.id).update(status=DeadLetter.Status.RETRIED, changed_at=Now())


def keep_again(letter: DeadLetter, *, status: DeadLetter.Status, fault: DeadLetter.Fault, cause: str) -> None:
    """Note the outcome of a retry that failed, or that the letter must wait. A failure of the handler is an attempt."""
    attempts = letter.attempts + (fault == DeadLetter.Fault.HANDLER)
    DeadLetter.objects.filter(id=letter.id, status__in=DeadLetter.OPEN).update(
        status=status, fault=fault, cause=_stored(cause), attempts=attempts, changed_at=Now()
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


def _open(*, consumer: str) -> QuerySet[DeadLetter]:
    return DeadLetter.objects.filter(consumer=consumer, status__in=DeadLetter.OPEN)


def _waits_for_others(letter: DeadLetter) -> bool:
    """Return whether only staff or a newer release can make the letter due."""
    if letter.status == DeadLetter.Status.BRAKED:
        return letter.fault == DeadLetter.Fault.RELEASE
    return letter.status == DeadLetter.Status.DEAD


def _stored(cause: str) -> str:
    """Return `cause` as a text that the database stores: without NUL and without halves of surrogate pairs."""
    return cause[:2000].replace("\x00", "").encode("utf-8", "backslashreplace").decode()


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
