"""The data of the four services in a test: rows in dictionaries, refusals, and a record of every request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from contracts.travel.bookings.v1 import bookings_pb2 as b
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2 as d
from contracts.travel.users.v1 import users_pb2 as u
from shared.errors import Conflict, DomainError, Invalid, NotFound
from shared.ids import uuid7
from shared.rpc import Call, rpc
from shared.text import Text

GATEWAY = {"gateway"}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class SeatsUnavailable(Conflict):
    code = "SEATS_UNAVAILABLE"
    text = Text(en="Only {seatsLeft} seats are left.", fr="Il ne reste que {seatsLeft} places.")


class TokenInvalid(Invalid):
    code = "TOKEN_INVALID"


def timestamp(days: float = 0) -> Timestamp:
    made = Timestamp()
    made.FromDatetime((NOW + timedelta(days=days)).replace(tzinfo=None))
    return made


def text(en: str, fr: str = "") -> common_pb2.LocalizedText:
    return common_pb2.LocalizedText(en=en, fr=fr)


def euros(cents: int) -> common_pb2.Money:
    return common_pb2.Money(minor_units=cents, currency_code="EUR")


@dataclass
class World:
    """The rows of the services, the refusals that they raise by method, and the requests that they received."""

    users: dict[str, u.User] = field(default_factory=dict)
    links: dict[str, u.DescribeLinkResponse] = field(default_factory=dict)
    sessions: dict[str, list[u.Session]] = field(default_factory=dict)
    security_events: dict[str, list[u.SecurityEvent]] = field(default_factory=dict)
    destinations: dict[str, d.Destination] = field(default_factory=dict)
    contents: dict[str, d.TripContent] = field(default_factory=dict)
    visiting_times: dict[str, d.VisitingTimes] = field(default_factory=dict)
    photos: dict[str, list[d.Photo]] = field(default_factory=dict)
    trips: dict[str, d.Trip] = field(default_factory=dict)
    slugs: dict[str, str] = field(default_factory=dict)  # earlier slugs of places and trips, with the id of each
    departures: dict[str, d.Departure] = field(default_factory=dict)
    bookings: dict[str, b.Booking] = field(default_factory=dict)
    events: dict[str, list[b.BookingEvent]] = field(default_factory=dict)
    waitlist: dict[str, b.WaitlistEntry] = field(default_factory=dict)
    seats: dict[str, int] = field(default_factory=dict)
    seat_sequences: dict[str, int] = field(default_factory=dict)
    sequences_page: int = 1_000
    refusals: dict[str, DomainError | Exception] = field(default_factory=dict)
    requests: list[tuple[str, Any, Call]] = field(default_factory=list)

    def record(self, method: str, request: Any, call: Call) -> None:
        """Record a request, and raise the refusal that the test set for `method`."""
        self.requests.append((method, request, call))
        if refusal := self.refusals.get(method):
            raise refusal

    def add_trip(self, number: int) -> d.Departure:
        """Add a country, a city in it, a trip to the city and a departure of the trip. Return the departure."""
        country = d.Destination(
            id=str(uuid7()),
            slug=f"country-{number}",
            kind=d.DESTINATION_KIND_COUNTRY,
            name=text("Land", "Pays"),
            country_code="FR",
        )
        city = d.Destination(
            id=str(uuid7()), slug=f"city-{number}", kind=d.DESTINATION_KIND_CITY, name=text("City", "Ville"),
            country_code="FR", parent_id=country.id, ancestor_ids=[country.id], currency_code="EUR",
        )  # fmt: skip
        trip = d.Trip(
            id=str(uuid7()), slug=f"trip-{number}", title=text("Walk", "Balade"), destination_id=city.id,
            duration_days=3, currency_code="EUR",
        )  # fmt: skip
        departure = d.Departure(
            id=str(uuid7()), trip_id=trip.id, starts_at=timestamp(30), ends_at=timestamp(33), time_zone="Europe/Paris",
            status=d.DEPARTURE_STATUS_OPEN, adult_price=euros(10_000), child_price=euros(5_000), capacity=20,
            bookable_until=timestamp(30),
        )  # fmt: skip
        self.destinations.update({country.id: country, city.id: city})
        self.trips[trip.id] = trip
        self.departures[departure.id] = departure
        return departure

    def add_photo(self, destination_id: str, en: str, fr: str) -> None:
        """Add a photo of a destination."""
        photo = d.Photo(id=str(uuid7()), destination_id=destination_id, alt=text(en, fr))
        self.photos.setdefault(destination_id, []).append(photo)

    def add_trip_photo(self, trip_id: str, en: str, fr: str) -> None:
        """Add a photo of a trip."""
        self.photos.setdefault(trip_id, []).append(d.Photo(id=str(uuid7()), trip_id=trip_id, alt=text(en, fr)))

    def add_booking(self, traveller_id: object, number: int = 1) -> b.Booking:
        """Add a booking of `traveller_id` on a new departure, with three events."""
        departure = self.add_trip(number)
        booking = b.Booking(
            id=str(uuid7()), reference=f"REF{number:05}", status=b.BOOKING_STATUS_CONFIRMED,
            reason=b.BOOKING_REASON_PAID, traveller_id=str(traveller_id), departure_id=departure.id,
            title=text("Walk", "Balade"), starts_at=timestamp(30),
            ends_at=timestamp(33), time_zone="Europe/Paris", total=euros(10_000), paid=euros(10_000), refunded=euros(0),
            created_at=timestamp(),
            passengers=[
                b.Passenger(id=str(uuid7()), first_name="Ann", last_name="Lee", kind=b.PASSENGER_KIND_ADULT)
            ],
            lines=[
                b.PriceLine(label=text("Adult", "Adulte"), quantity=1, unit_price=euros(10_000), total=euros(10_000))
            ],
        )  # fmt: skip
        self.bookings[booking.id] = booking
        self.events[booking.id] = []
        for kind in ("booking.created", "payment.succeeded", "booking.confirmed"):
            self.add_event(booking, kind)
        return booking

    def add_event(self, booking: b.Booking, kind: str) -> b.BookingEvent:
        """Append an entry to a booking's history."""
        booking.sequence += 1
        event = b.BookingEvent(
            sequence=booking.sequence, type=kind, status=booking.status, reason=booking.reason, at=timestamp(),
            actor="system", message=text(f"Event {booking.sequence}", f"Fait {booking.sequence}"),
        )  # fmt: skip
        self.events[booking.id].append(event)
        return event

    def own_booking(self, call: Call, booking: b.Booking | None) -> b.Booking:
        """Return `booking`. Raises NotFound if it is None or another traveller's, as bookings_service does."""
        if booking is None or booking.traveller_id != str(call.signed_in_traveller.id):
            raise NotFound
        return booking

    def link(self, token: str) -> u.DescribeLinkResponse:
        """Return what the link is for. Raises TokenInvalid for an unknown link, as users_service does."""
        if token not in self.links:
            raise TokenInvalid
        return self.links[token]

    def by_reference(self, reference: str) -> b.Booking | None:
        return next((booking for booking in self.bookings.values() if booking.reference == reference), None)


def answering(
    world: World, name: str, act: Callable[[Any, Call], Any], traveller: Any = "required"
) -> Callable[..., Any]:
    """Return the RPC method `name`: it records its request and answers with `act`."""

    def method(self: Any, request: Any, call: Call) -> Any:
        world.record(name, request, call)
        return act(request, call)

    method.__name__ = name
    return rpc(callers=GATEWAY, traveller=traveller)(method)


def servicer(base: type, world: World, traveller: Any, **methods: Callable[[Any, Call], Any]) -> Any:
    """Return a servicer of the class `base` that serves `methods`."""
    served = {name: answering(world, name, act, traveller) for name, act in methods.items()}
    return type(f"Test{base.__name__}", (base,), served)()
