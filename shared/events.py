"""The catalogue of events: each protobuf message with its topic and its CloudEvents type."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from google.protobuf.message import Message

from contracts.travel.events.v1 import (
    bookings_pb2,
    destinations_pb2,
    notifications_pb2,
    signing_keys_pb2,
    users_pb2,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic: its name without prefix, and its number of partitions."""

    name: str
    partitions: int = 6


@dataclass(frozen=True, slots=True)
class EventType:
    """The names of a message on the wire: the CloudEvents type, the topic and the publishing service.

    A consumer that does not know a `required` type parks the event and the later ones of its key until it is upgraded.
    It records and skips an unknown type that is not required. The mark travels with each event.
    """

    type: str
    topic: str
    required: bool = False

    @property
    def source(self) -> str:
        """The service that publishes it: bookings, users, …"""
        return self.topic.split(".")[1]


_USER = Topic("travel.users.user")
_SIGNING_KEY = Topic("travel.users.signing_key", partitions=1)
_DEPARTURE = Topic("travel.destinations.departure")
_DESTINATION = Topic("travel.destinations.destination")
_BOOKING = Topic("travel.bookings.booking")
_INVENTORY = Topic("travel.bookings.inventory")
_WAITLIST = Topic("travel.bookings.waitlist")
_NOTIFICATION = Topic("travel.notifications.notification")
_INVOICE = Topic("travel.notifications.invoice")

TOPICS: Final = (
    _USER,
    _SIGNING_KEY,
    _DEPARTURE,
    _DESTINATION,
    _BOOKING,
    _INVENTORY,
    _WAITLIST,
    _NOTIFICATION,
    _INVOICE,
)

# The topics of each consumer. Its dead letters go to `<topic>.<consumer>.dlq`.
CONSUMERS: Final[Mapping[str, tuple[Topic, ...]]] = {
    "destinations": (_INVENTORY,),
    "bookings": (_DEPARTURE,),
    "notifications": (_USER, _BOOKING, _WAITLIST, _DEPARTURE),
}

DEAD_LETTER_TOPICS: Final = tuple(
    Topic(f"{topic.name}.{consumer}.dlq", partitions=1) for consumer, topics in CONSUMERS.items() for topic in topics
)


def _on(topic: Topic, family: str, **messages: type[Message]) -> dict[type[Message], EventType]:
    return {message: EventType(type=f"{family}.{name}.v1", topic=topic.name) for name, message in messages.items()}


EVENTS: Final[Mapping[type[Message], EventType]] = {
    **_on(
        _USER,
        "travel.users.user",
        registered=users_pb2.UserRegistered,
        verified=users_pb2.UserVerified,
        updated=users_pb2.UserUpdated,
        link_requested=users_pb2.UserLinkRequested,
        session_revoked=users_pb2.UserSessionRevoked,
        signed_in_from_new_device=users_pb2.UserSignedInFromNewDevice,
        phone_code_requested=users_pb2.UserPhoneCodeRequested,
    ),
    **_on(_SIGNING_KEY, "travel.users.signing_keys", changed=signing_keys_pb2.SigningKeysChanged),
    **_on(
        _DEPARTURE,
        "travel.destinations.departure",
        scheduled=destinations_pb2.DepartureScheduled,
        changed=destinations_pb2.DepartureChanged,
        cancelled=destinations_pb2.DepartureCancelled,
    ),
    **_on(_DESTINATION, "travel.destinations.destination", changed=destinations_pb2.DestinationChanged),
    **_on(
        _BOOKING,
        "travel.bookings.booking",
        created=bookings_pb2.BookingCreated,
        confirmed=bookings_pb2.BookingConfirmed,
        hold_extended=bookings_pb2.BookingHoldExtended,
        passengers_cancelled=bookings_pb2.BookingPassengersCancelled,
        passenger_renamed=bookings_pb2.BookingPassengerRenamed,
        cancelled=bookings_pb2.BookingCancelled,
    ),
    **_on(
        _BOOKING,
        "travel.bookings.payment",
        succeeded=bookings_pb2.PaymentSucceeded,
        failed=bookings_pb2.PaymentFailed,
    ),
    **_on(_BOOKING, "travel.bookings.refund", succeeded=bookings_pb2.RefundSucceeded, failed=bookings_pb2.RefundFailed),
    **_on(_INVENTORY, "travel.bookings.inventory", changed=bookings_pb2.InventoryChanged),
    **_on(
        _WAITLIST,
        "travel.bookings.waitlist",
        offered=bookings_pb2.WaitlistOffered,
        expired=bookings_pb2.WaitlistExpired,
    ),
    **_on(
        _NOTIFICATION,
        "travel.notifications.notification",
        sent=notifications_pb2.NotificationSent,
        failed=notifications_pb2.NotificationFailed,
    ),
    **_on(_INVOICE, "travel.notifications.invoice", issued=notifications_pb2.InvoiceIssued),
}

_BY_TYPE: Final = {event.type: message for message, event in EVENTS.items()}


def event_type(message: Message | type[Message]) -> EventType:
    """Return the names of `message` on the wire. Raises KeyError if it is no event."""
    return EVENTS[message if isinstance(message, type) else type(message)]


def message_class(type_: str) -> type[Message] | None:
    """Return the message class of a CloudEvents type, or None if the platform has no such event."""
    return _BY_TYPE.get(type_)


@cache
def _prefix() -> str:
    from shared.settings.env import env  # not at import: the environment may not be complete yet

    return str(env.str("KAFKA_TOPIC_PREFIX", default=""))


def topic_name(name: str) -> str:
    """Return the topic's name in this environment: with KAFKA_TOPIC_PREFIX before it."""
    return _prefix() + name
