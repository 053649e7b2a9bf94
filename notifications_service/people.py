"""What only users_service knows: how to reach a person, and the secret link of a request. Asked at the moment of sending."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from contracts.travel.users.v1 import users_pb2, users_pb2_grpc
from notifications_service.billing.contracts import Recipient
from shared.deadline import Deadline
from shared.errors import DomainError, NotFound
from shared.rpc import ServiceClient
from shared.rpc.mapping import from_ts, locale_from_proto
from shared.text import Locale

log = structlog.get_logger(__name__)

_SECONDS = 3.0
_users = ServiceClient("users", users_pb2_grpc.UsersServiceStub)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person, as users_service says at the moment of sending. Never stored here."""

    person_id: UUID
    email: str
    first_name: str
    last_name: str
    phone: str
    locale: Locale
    notify_by_email: bool
    notify_by_sms: bool
    time_zone: str = "UTC"

    @property
    def recipient(self) -> Recipient:
        """The person as a document is made out to them."""
        name = f"{self.first_name} {self.last_name}".strip()
        return Recipient(name=name, email=self.email, locale=self.locale)


def contact_of(*, person_id: UUID, deadline: Deadline | None = None) -> Contact | None:
    """Return how to reach the person, None where there is none any more.

    Raises Unavailable or DeadlineExceeded while users_service cannot say.
    """
    request = users_pb2.BatchGetContactsRequest(ids=[str(person_id)])
    answer = _users.call("BatchGetContacts", request, deadline=deadline or Deadline.after(_SECONDS))
    for found in answer.contacts:
        if found.id == str(person_id):
            return Contact(
                person_id=person_id,
                email=found.email,
                first_name=found.first_name,
                last_name=found.last_name,
                phone=found.phone,
                locale=locale_from_proto(found.locale),
                notify_by_email=found.notify_by_email,
                notify_by_sms=found.notify_by_sms,
                time_zone=_known(found.time_zone),
            )
    return None


def recipient_of(person_id: UUID) -> Recipient:
    """Return the person as a document is made out to them. Raises NotFound where there is none any more, as `contact_of` does."""
    contact = contact_of(person_id=person_id)
    if contact is None:
        raise NotFound
    return contact.recipient


def mint_link(*, request_id: str) -> tuple[str, datetime | None]:
    """Return the secret link of the request and when it ends. Raises NotFound where the request is void by now."""
    request = users_pb2.MintLinkRequest(request_id=request_id)
    answer = _users.call("MintLink", request, deadline=Deadline.after(_SECONDS))
    return answer.url, from_ts(answer.expires_at)


def warm() -> None:
    """Open the channel now rather than with the first mail; a service that is away is found by later calls."""
    try:
        _users.call("BatchGetContacts", users_pb2.BatchGetContactsRequest(), deadline=Deadline.after(1.0))
    except DomainError as error:
        log.info("users_not_there_yet", cause=error.code)


def _known(time_zone: str) -> str:
    """Return the zone, or UTC for one that this machine does not know."""
    try:
        return ZoneInfo(time_zone).key
    except (ValueError, KeyError, OSError):
        return "UTC"
