"""The Celery queues, and the queue of each notification.

Two processes work on them: `notifications.urgent` only on URGENT, and `notifications.worker` on the others. A mass
mailing therefore never delays a message that somebody waits for.

Pure: no Celery, no settings, no database.
"""

from enum import StrEnum
from typing import Final

from notifications_service.notifications.domain import Channel, Kind


class Queue(StrEnum):
    """A queue of deliveries. The sweep fills the queues in this order."""

    URGENT = "urgent"
    SMS = "sms"
    DOCUMENTS = "documents"  # mails with an invoice or a credit note: the PDF is rendered first
    MAIL = "mail"


# Somebody waits for these in front of a form. ALREADY_REGISTERED is the answer to a registration, as VERIFY_EMAIL is.
URGENT_KINDS: Final = frozenset(
    {
        Kind.VERIFY_EMAIL,
        Kind.ALREADY_REGISTERED,
        Kind.RESET_PASSWORD,
        Kind.CONFIRM_EMAIL_CHANGE,
        Kind.VERIFY_PHONE,
    }
)


def queue_of(*, kind: Kind, channel: Channel, has_document: bool) -> Queue:
    """Return the queue of a notification."""
    if kind in URGENT_KINDS:
        return Queue.URGENT
    if channel is Channel.SMS:
        return Queue.SMS
    return Queue.DOCUMENTS if has_document else Queue.MAIL
