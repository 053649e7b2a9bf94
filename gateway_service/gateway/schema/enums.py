"""The contract's enums. Each value is the number that the services send."""

from typing import Any

import graphene

from contracts.travel.bookings.v1 import bookings_pb2 as bookings
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2 as destinations
from contracts.travel.notifications.v1 import notifications_pb2 as notifications


def proto_value(value: graphene.Enum | None) -> Any:
    """Return the number that a message takes for `value`. For None return 0, which means unspecified."""
    return 0 if value is None else int(value.value)


class Locale(graphene.Enum):
    """A language of the platform."""

    EN = common_pb2.LOCALE_EN
    FR = common_pb2.LOCALE_FR


class DestinationKind(graphene.Enum):
    COUNTRY = destinations.DESTINATION_KIND_COUNTRY
    CITY = destinations.DESTINATION_KIND_CITY
    POINT_OF_INTEREST = destinations.DESTINATION_KIND_POINT_OF_INTEREST


class DestinationOrder(graphene.Enum):
    RELEVANCE = destinations.DESTINATION_ORDER_RELEVANCE
    NAME = destinations.DESTINATION_ORDER_NAME
    POPULARITY = destinations.DESTINATION_ORDER_POPULARITY
    DISTANCE = destinations.DESTINATION_ORDER_DISTANCE
    DAILY_COST = destinations.DESTINATION_ORDER_DAILY_COST


class SearchKind(graphene.Enum):
    COUNTRY = destinations.SEARCH_KIND_COUNTRY
    CITY = destinations.SEARCH_KIND_CITY
    POINT_OF_INTEREST = destinations.SEARCH_KIND_POINT_OF_INTEREST
    TRIP = destinations.SEARCH_KIND_TRIP


class TripOrder(graphene.Enum):
    PRICE = destinations.TRIP_ORDER_PRICE
    DEPARTURE_DATE = destinations.TRIP_ORDER_DEPARTURE_DATE
    DURATION = destinations.TRIP_ORDER_DURATION
    POPULARITY = destinations.TRIP_ORDER_POPULARITY


class PriceCategory(graphene.Enum):
    DAY_BUDGET = destinations.PRICE_CATEGORY_DAY_BUDGET
    DAY_MIDRANGE = destinations.PRICE_CATEGORY_DAY_MIDRANGE
    DAY_LUXURY = destinations.PRICE_CATEGORY_DAY_LUXURY
    HOTEL_NIGHT = destinations.PRICE_CATEGORY_HOTEL_NIGHT
    MEAL = destinations.PRICE_CATEGORY_MEAL
    LOCAL_TRANSPORT = destinations.PRICE_CATEGORY_LOCAL_TRANSPORT
    ADMISSION = destinations.PRICE_CATEGORY_ADMISSION


class DepartureStatus(graphene.Enum):
    OPEN = destinations.DEPARTURE_STATUS_OPEN
    CLOSED = destinations.DEPARTURE_STATUS_CLOSED
    CANCELLED = destinations.DEPARTURE_STATUS_CANCELLED
    DEPARTED = destinations.DEPARTURE_STATUS_DEPARTED


class BookingTime(graphene.Enum):
    UPCOMING = bookings.BOOKING_TIME_UPCOMING
    PAST = bookings.BOOKING_TIME_PAST


class BookingOrder(graphene.Enum):
    CREATED_DESC = bookings.BOOKING_ORDER_CREATED_DESC
    STARTS_AT = bookings.BOOKING_ORDER_STARTS_AT


class BookingStatus(graphene.Enum):
    PENDING = bookings.BOOKING_STATUS_PENDING
    CONFIRMED = bookings.BOOKING_STATUS_CONFIRMED
    CANCELLED = bookings.BOOKING_STATUS_CANCELLED


class BookingReason(graphene.Enum):
    HELD = bookings.BOOKING_REASON_HELD
    PAID = bookings.BOOKING_REASON_PAID
    PASSENGERS_CANCELLED = bookings.BOOKING_REASON_PASSENGERS_CANCELLED
    CANCELLED_BY_TRAVELLER = bookings.BOOKING_REASON_CANCELLED_BY_TRAVELLER
    CANCELLED_BY_STAFF = bookings.BOOKING_REASON_CANCELLED_BY_STAFF
    HOLD_EXPIRED = bookings.BOOKING_REASON_HOLD_EXPIRED
    DEPARTURE_CANCELLED = bookings.BOOKING_REASON_DEPARTURE_CANCELLED
    PAYMENT_FAILED = bookings.BOOKING_REASON_PAYMENT_FAILED


class PassengerKind(graphene.Enum):
    ADULT = bookings.PASSENGER_KIND_ADULT
    CHILD = bookings.PASSENGER_KIND_CHILD


class PaymentStatus(graphene.Enum):
    CREATED = bookings.PAYMENT_STATUS_CREATED
    REQUIRES_ACTION = bookings.PAYMENT_STATUS_REQUIRES_ACTION
    PROCESSING = bookings.PAYMENT_STATUS_PROCESSING
    SUCCEEDED = bookings.PAYMENT_STATUS_SUCCEEDED
    FAILED = bookings.PAYMENT_STATUS_FAILED


class RefundStatus(graphene.Enum):
    CREATED = bookings.REFUND_STATUS_CREATED
    PROCESSING = bookings.REFUND_STATUS_PROCESSING
    SUCCEEDED = bookings.REFUND_STATUS_SUCCEEDED
    FAILED = bookings.REFUND_STATUS_FAILED


class WaitlistStatus(graphene.Enum):
    WAITING = bookings.WAITLIST_STATUS_WAITING
    OFFERED = bookings.WAITLIST_STATUS_OFFERED
    TAKEN = bookings.WAITLIST_STATUS_TAKEN
    EXPIRED = bookings.WAITLIST_STATUS_EXPIRED
    LEFT = bookings.WAITLIST_STATUS_LEFT


class NotificationChannel(graphene.Enum):
    EMAIL = notifications.CHANNEL_EMAIL
    SMS = notifications.CHANNEL_SMS


class NotificationStatus(graphene.Enum):
    PENDING = notifications.NOTIFICATION_STATUS_PENDING
    SENT = notifications.NOTIFICATION_STATUS_SENT
    FAILED = notifications.NOTIFICATION_STATUS_FAILED
    SUPPRESSED = notifications.NOTIFICATION_STATUS_SUPPRESSED


class InvoiceKind(graphene.Enum):
    INVOICE = notifications.INVOICE_KIND_INVOICE
    CREDIT_NOTE = notifications.INVOICE_KIND_CREDIT_NOTE
