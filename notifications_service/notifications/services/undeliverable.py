"""Addresses and numbers that a provider refused for good. They are kept as digests, never in clear."""

import hashlib
from typing import Final
from uuid import UUID

import structlog
from django.db import connection

from notifications_service.notifications.domain import Channel
from notifications_service.notifications.models import Undeliverable
from shared.errors import NotFound

log = structlog.get_logger(__name__)
_CAUSE: Final = (
    "SELECT since, cause FROM notifications_undeliverable WHERE person_id = %s AND channel = %s AND digest = %s"
)


def add(*, person_id: UUID, channel: Channel, address: str, cause: str) -> None:
    """Send nothing more to the person at this address. A second call changes nothing."""
    Undeliverable.objects.get_or_create(
        person_id=person_id,
        channel=channel.value,
        digest=digest(person_id=person_id, channel=channel, address=address),
        defaults={"cause": cause[:500]},
    )


def cause_of(*, person_id: UUID, channel: Channel, address: str) -> str:
    """Return why nothing is sent to the person at this address, or ""."""
    key = [person_id, channel.value, digest(person_id=person_id, channel=channel, address=address)]
    with connection.cursor() as cursor:  # every message asks this, and the ORM takes ten times as long
        cursor.execute(_CAUSE, key)
        row = cursor.fetchone()
    return f"undeliverable since {row[0]:%Y-%m-%d}: {row[1]}" if row else ""


def lift(*, undeliverable_id: int) -> None:
    """Let messages go to the address again. Raises NotFound if it was lifted already."""
    row = Undeliverable.objects.filter(id=undeliverable_id).first()
    if row is None:
        raise NotFound
    row.delete()
    log.info("undeliverable_lifted", person_id=str(row.person_id), channel=row.channel)


def digest(*, person_id: UUID, channel: Channel, address: str) -> str:
    """Return the digest of a person's address. The case of its letters does not matter."""
    return hashlib.sha256(f"{person_id}\n{channel}\n{address.strip().lower()}".encode()).hexdigest()
