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
    """A Kafka topic: its name without prefix, which aggregate's id is the key of its records, and its partitions."""

    name: str
    key: str
    partitions: int = 6


@dataclass(frozen=True, slots=True)
class EventType:
    """The names of a message on the wire: the CloudEvents type, the topic, the aggregate of its key and the publisher.

    `since` is the day on which the type came to the platform.

    A consumer that does not know a `required` type parks the event and the later ones of its key until it is upgraded.
    It records and skips an unknown type that is not required. The mark travels with each event. A type is required if
    skipping it would lose an effect that nothing brings again: a mail, an SMS, a document, money or a copy of state.
    """

    type: str
    topic: str
    key: str
    since: str
    required: bool = False

    @property
    def source(self) -> str:
        """The service that publishes it: bookings, users, …"""
        return self.topic.split(".")[1]


_USER = Topic("travel.users.user", key="user")
_SIGNING_KEY = Topic("travel.users.signing_key", key="key that signs next", partitions=1)
_DEPARTURE = Topic("travel.destinations.departure", key="departure")
_DESTINATION = Topic("travel.destinations.destination", key="destination")
_BOOKING = Topic("travel.bookings.booking", key="booking")
_INVENTORY = Topic("travel.bookings.inventory", key="departure")
_WAITLIST = Topic("travel.bookings.waitlist", key="waiting-list entry")
_NOTIFICATION = Topic("travel.notifications.notification", key="notification")
_INVOICE = Topic("travel.notifications.invoice", key="invoice")

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
    "notifications": (_USER, _BOOKING, _WAITLIST),
}

DEAD_LETTER_TOPICS: Final = tuple(
    Topic(f"{topic.name}.{consumer}.dlq", key=topic.key, partitions=1)
    for consumer, topics in CONSUMERS.items()
    for topic in topics
)


def _event(type_: str, topic: Topic, since: str, *, required: bool = False, key: str = "") -> EventType:
    return EventType(type=type_, topic=topic.name, key=key or topic.key, since=since, required=required)


EVENTS: Final[Mapping[type[Message], EventType]] = {
    users_pb2.UserRegistered: _event("travel.users.user.registered.v1", _USER, "2026-11-23"),
    users_pb2.UserVerified: _event("travel.users.user.verified.v1", _USER, "2026-11-23"),
    users_pb2.UserUpdated: _event("travel.users.user.updated.v1", _USER, "2026-11-23"),
    users_pb2.UserLinkRequested: _event(
        "travel.users.user.link_requested.v1", _USER, "2026-11-23", required=True, key="link request"
    ),
    users_pb2.UserSessionRevoked: _event("travel.users.user.session_revoked.v1", _USER, "2026-11-23"),
    users_pb2.UserSignedInFromNewDevice: _event("travel.users.user.signed_in_from_new_device.v1", _USER, "2026-11-30"),
    users_pb2.UserPhoneCodeRequested: _event(
        "travel.users.user.phone_code_requested.v1", _USER, "2026-11-30", required=True, key="phone-code request"
    ),
    signing_keys_pb2.SigningKeysChanged: _event("travel.users.signing_keys.changed.v1", _SIGNING_KEY, "2026-11-30"),
    destinations_pb2.DepartureScheduled: _event(
        "travel.destinations.departure.scheduled.v1", _DEPARTURE, "2026-11-23", required=True
    ),
    destinations_pb2.DepartureChanged: _event(
        "travel.destinations.departure.changed.v1", _DEPARTURE, "2026-11-23", required=True
    ),
    destinations_pb2.DepartureCancelled: _event(
        "travel.destinations.departure.cancelled.v1", _DEPARTURE, "2026-11-23", required=True
    ),
    destinations_pb2.DestinationChanged: _event(
        "travel.destinations.destination.changed.v1", _DESTINATION, "2026-11-23"
    ),
    destinations_pb2.TripChanged: _event("travel.destinations.trip.changed.v1", _DESTINATION, "2026-12-01", key="trip"),
    destinations_pb2.ExchangeRatesChanged: _event(
        "travel.destinations.exchange_rates.changed.v1", _DESTINATION, "2026-12-01", key="list of exchange rates"
    ),
    bookings_pb2.BookingCreated: _event("travel.bookings.booking.created.v1", _BOOKING, "2026-11-23"),
    bookings_pb2.BookingConfirmed: _event(
        "travel.bookings.booking.confirmed.v1", _BOOKING, "2026-11-23", required=True
    ),
    bookings_pb2.BookingHoldExtended: _event("travel.bookings.booking.hold_extended.v1", _BOOKING, "2026-11-23"),
    bookings_pb2.BookingPassengersCancelled: _event(
        "travel.bookings.booking.passengers_cancelled.v1", _BOOKING, "2026-11-23", required=True
    ),
    bookings_pb2.BookingPassengerRenamed: _event(
        "travel.bookings.booking.passenger_renamed.v1", _BOOKING, "2026-11-23", required=True
    ),
    bookings_pb2.BookingDepartureChanged: _event(
        "travel.bookings.booking.departure_changed.v1", _BOOKING, "2026-12-01", required=True
    ),
    bookings_pb2.BookingChangeAccepted: _event("travel.bookings.booking.change_accepted.v1", _BOOKING, "2026-12-01"),
    bookings_pb2.BookingCancelled: _event(
        "travel.bookings.booking.cancelled.v1", _BOOKING, "2026-11-23", required=True
    ),
    bookings_pb2.PaymentSucceeded: _event("travel.bookings.payment.succeeded.v1", _BOOKING, "2026-11-23"),
    bookings_pb2.PaymentFailed: _event("travel.bookings.payment.failed.v1", _BOOKING, "2026-11-23", required=True),
    bookings_pb2.RefundSucceeded: _event("travel.bookings.refund.succeeded.v1", _BOOKING, "2026-11-23", required=True),
    bookings_pb2.RefundFailed: _event("travel.bookings.refund.failed.v1", _BOOKING, "2026-11-23"),
    bookings_pb2.InventoryChanged: _event("travel.bookings.inventory.changed.v1", _INVENTORY, "2026-11-23"),
    bookings_pb2.WaitlistOffered: _event("travel.bookings.waitlist.offered.v1", _WAITLIST, "2026-11-23", required=True),
    bookings_pb2.WaitlistExpired: _event("travel.bookings.waitlist.expired.v1", _WAITLIST, "2026-11-23", required=True),
    notifications_pb2.NotificationSent: _event(
        "travel.notifications.notification.sent.v1", _NOTIFICATION, "2026-11-23"
    ),
    notifications_pb2.NotificationFailed: _event(
        "travel.notifications.notification.failed.v1", _NOTIFICATION, "2026-11-23"
    ),
    notifications_pb2.InvoiceIssued: _event("travel.notifications.invoice.issued.v1", _INVOICE, "2026-11-23"),
}

# What each process reads without a group and without an inbox (shared/kafka/broadcast.py). A type that it does not
# know has no effect there.
BROADCASTS: Final[Mapping[str, tuple[type[Message], ...]]] = {
    "every process that verifies access tokens": (users_pb2.UserSessionRevoked, signing_keys_pb2.SigningKeysChanged),
    "every gateway process": tuple(
        message
        for message, event in EVENTS.items()
        if event.topic in {_BOOKING.name, _INVENTORY.name, _DEPARTURE.name, _DESTINATION.name}
    ),
}

_BY_TYPE: Final = {event.type: message for message, event in EVENTS.items()}


def event_type(message: Message | type[Message]) -> EventType:
    """Return the names of `message` on the wire. Raises KeyError if it is no event."""
    return EVENTS[message if isinstance(message, type) else type(message)]


def message_class(type_: str) -> type[Message] | None:
    """Return the message class of a CloudEvents type, or None if the platform has no such event."""
    return _BY_TYPE.get(type_)


def is_required(type_: str) -> bool:
    """Return whether a CloudEvents type is required.

    A type that this release does not know is required: an older relay sends the rows of a newer process too, and its
    consumers may know as little. Parked, the event is only late.
    """
    message = message_class(type_)
    return message is None or EVENTS[message].required


@cache
def _prefix() -> str:
    from shared.settings.env import env  # not at import: the environment may not be complete yet

    return str(env.str("KAFKA_TOPIC_PREFIX", default=""))


def topic_name(name: str) -> str:
    """Return the topic's name in this environment: with KAFKA_TOPIC_PREFIX before it."""
    return _prefix() + name
