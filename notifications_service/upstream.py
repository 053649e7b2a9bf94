"""The calls to users_service while a mail is written: for the contact of a person, and for a secret link."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.deadline import Deadline
from shared.errors import DomainError
from shared.rpc import Channel, call
from shared.rpc.mapping import from_ts, locale_from_proto
from shared.text import Locale

log = structlog.get_logger(__name__)

_SECONDS = 3.0
channel: Final = Channel("users")
_users: Final = UsersServiceStub(channel)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person, as users_service answers at the moment of sending. It is never stored here."""

    email: str
    first_name: str
    last_name: str
    phone: str
    locale: Locale
    notify_by_email: bool
    notify_by_sms: bool
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Link:
    """A secret link, when it expires, and who gets it: not always the address of the account."""

    url: str
    expires_at: datetime | None
    contact: Contact


def contact_of(*, person_id: UUID) -> Contact | None:
    """Return how to reach the person, or None if the account no longer exists.

    Raises Unavailable or DeadlineExceeded if users_service does not answer.
    """
    request = users_pb2.BatchGetContactsRequest(ids=[str(person_id)])
    answer = call(_users.BatchGetContacts, request, deadline=Deadline.after(_SECONDS))
    for contact in answer.contacts:
        if contact.id == str(person_id):
            return _contact(contact)
    return None


def mint_link(*, request_id: str) -> Link:
    """Return the secret link of the request. Raises NotFound or Conflict if the request is no longer valid."""
    request = users_pb2.MintLinkRequest(request_id=request_id)
    answer = call(_users.MintLink, request, deadline=Deadline.after(_SECONDS))
    return Link(url=answer.url, expires_at=from_ts(answer.expires_at), contact=_contact(answer.contact))


def warm_up() -> None:
    """Open the channel before the first mail needs it. Succeed even if users_service is unavailable."""
    try:
        call(_users.BatchGetContacts, users_pb2.BatchGetContactsRequest(), deadline=Deadline.after(1.0))
    except DomainError as error:
        log.info("users_not_there_yet", cause=error.code)


def _contact(contact: users_pb2.Contact) -> Contact:
    return Contact(
        email=contact.email,
        first_name=contact.first_name,
        last_name=contact.last_name,
        phone=contact.phone,
        locale=locale_from_proto(contact.locale),
        notify_by_email=contact.notify_by_email,
        notify_by_sms=contact.notify_by_sms,
        time_zone=_known_zone(contact.time_zone),
    )


def _known_zone(time_zone: str) -> str:
    """Return the zone's name, or UTC if this machine does not know the zone."""
    try:
        return ZoneInfo(time_zone).key
    except (ValueError, KeyError, OSError):
        return "UTC"
