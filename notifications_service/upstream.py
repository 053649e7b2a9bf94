"""The calls to users_service while a message is written: for a person's contact, a secret link, or a code."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.deadline import Deadline
from shared.errors import Conflict, DomainError, NotFound
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
    phone_verified: bool = False
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Link:
    """A secret link, when it expires, and who gets it: not always the address of the account.

    `url` is empty for a mail without a link.
    """

    url: str = field(repr=False)
    expires_at: datetime | None
    contact: Contact


@dataclass(frozen=True, slots=True)
class PhoneCode:
    """A code that verifies a phone number. The contact has only the number that the code is for, and the language."""

    code: str = field(repr=False)
    contact: Contact


class NotWanted(Exception):
    """users_service no longer wants the message: its link or code was used or has expired, or the account is closed."""


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
    """Return the link of the request with a new token; an earlier token of the request becomes void.

    Raises NotWanted, and Unavailable or DeadlineExceeded if users_service does not answer.
    """
    with _refusal_as_not_wanted():
        request = users_pb2.MintLinkRequest(request_id=request_id)
        answer = call(_users.MintLink, request, deadline=Deadline.after(_SECONDS))
    return Link(url=answer.url, expires_at=from_ts(answer.expires_at), contact=_contact(answer.contact))


def mint_phone_code(*, request_id: str) -> PhoneCode:
    """Return a new code of the request; an earlier code of the request becomes void. Raises as `mint_link` does."""
    with _refusal_as_not_wanted():
        request = users_pb2.MintPhoneCodeRequest(request_id=request_id)
        answer = call(_users.MintPhoneCode, request, deadline=Deadline.after(_SECONDS))
    return PhoneCode(code=answer.code, contact=_contact(users_pb2.Contact(phone=answer.phone, locale=answer.locale)))


def warm_up() -> None:
    """Open the channel before the first mail needs it. Succeed even if users_service is unavailable."""
    try:
        call(_users.BatchGetContacts, users_pb2.BatchGetContactsRequest(), deadline=Deadline.after(1.0))
    except DomainError as error:
        log.info("users_not_there_yet", cause=error.code)


@contextmanager
def _refusal_as_not_wanted() -> Iterator[None]:
    try:
        yield
    except (Conflict, NotFound) as error:
        raise NotWanted(f"{error.code}: {error}") from error


def _contact(contact: users_pb2.Contact) -> Contact:
    return Contact(
        email=contact.email,
        first_name=contact.first_name,
        last_name=contact.last_name,
        phone=contact.phone,
        locale=locale_from_proto(contact.locale),
        notify_by_email=contact.notify_by_email,
        notify_by_sms=contact.notify_by_sms,
        phone_verified=contact.phone_verified,
        time_zone=_known_zone(contact.time_zone),
    )


def _known_zone(time_zone: str) -> str:
    """Return the zone's name, or UTC if this machine does not know the zone."""
    try:
        return ZoneInfo(time_zone).key
    except (ValueError, KeyError, OSError):
        return "UTC"
