"""The object types. Each is made from its protobuf message; fields of other messages have resolvers."""

import base64
from enum import Enum
from typing import Any, Final, NewType, Self

import strawberry
from strawberry.types import Info

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2

WHOLE: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THOUSANDTHS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

DateTime = NewType("DateTime", str)
Date = NewType("Date", str)
Decimal = NewType("Decimal", str)
SCALARS: Final = {
    DateTime: strawberry.scalar(name="DateTime", serialize=str),
    Date: strawberry.scalar(name="Date", serialize=str),
    Decimal: strawberry.scalar(name="Decimal", serialize=str),
}


def global_id(kind: str, raw: str) -> strawberry.ID:
    return strawberry.ID(base64.b64encode(f"{kind}:{raw}".encode()).decode())


def raw_id(value: str) -> str:
    return base64.b64decode(value).decode().partition(":")[2]


def instant(stamp: Any) -> DateTime:
    return DateTime(f"{stamp.ToDatetime().isoformat(timespec='milliseconds')}Z")


def text(localized: common_pb2.LocalizedText) -> str:
    return localized.en or localized.fr


def enum_of(name: str, values: Any, prefix: str) -> Any:
    """Return an enum with the values of a protobuf enum, named without their prefix."""
    members = {key.removeprefix(prefix): number for key, number in values.items() if not key.endswith("_UNSPECIFIED")}
    return strawberry.enum(Enum(name, members))


BookingStatus = enum_of("BookingStatus", bookings_pb2.BookingStatus, "BOOKING_STATUS_")
PassengerKind = enum_of("PassengerKind", bookings_pb2.PassengerKind, "PASSENGER_KIND_")
DepartureStatus = enum_of("DepartureStatus", destinations_pb2.DepartureStatus, "DEPARTURE_STATUS_")
DestinationKind = enum_of("DestinationKind", destinations_pb2.DestinationKind, "DESTINATION_KIND_")
PriceCategory = enum_of("PriceCategory", destinations_pb2.PriceCategory, "PRICE_CATEGORY_")
Locale = enum_of("Locale", common_pb2.Locale, "LOCALE_")


@strawberry.type
class Money:
    amount: Decimal
    currency: str

    @classmethod
    def of(cls, money: common_pb2.Money) -> Self:
        code, minor = money.currency_code, money.minor_units
        if code in WHOLE:
            return cls(amount=Decimal(str(minor)), currency=code)
        places = 3 if code in THOUSANDTHS else 2
        sign, (whole, part) = "-" if minor < 0 else "", divmod(abs(minor), 10**places)
        return cls(amount=Decimal(f"{sign}{whole}.{part:0{places}}"), currency=code)


@strawberry.type
class Photo:
    renditions: strawberry.Private[Any]
    alt: str
    credit: str

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(renditions=row.renditions, alt=text(row.alt), credit=row.credit)

    @strawberry.field
    def url(self, width: int | None = None) -> str:
        wanted = width or self.renditions[-1].width
        return next((each.url for each in self.renditions if each.width >= wanted), self.renditions[-1].url)


@strawberry.type
class AveragePrice:
    category: PriceCategory
    price: Money
    as_of: Date

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(category=PriceCategory(row.category), price=Money.of(row.price), as_of=row.as_of)


@strawberry.type
class Destination:
    raw: strawberry.Private[Any]
    id: strawberry.ID
    slug: str
    kind: DestinationKind
    name: str
    summary: str
    country_code: str
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            raw=row, id=global_id("Destination", row.id), slug=row.slug, kind=DestinationKind(row.kind),
            name=text(row.name), summary=text(row.summary), country_code=row.country_code,
            latitude=row.latitude if row.HasField("latitude") else None,
            longitude=row.longitude if row.HasField("longitude") else None,
        )  # fmt: skip

    @strawberry.field
    async def ancestors(self, info: Info) -> list["Destination"]:
        rows = await info.context.loaders.destinations.load_many(self.raw.ancestor_ids)
        return [Destination.of(row) for row in rows if row]

    @strawberry.field
    async def photos(self, info: Info) -> list[Photo]:
        return [Photo.of(row) for row in await info.context.loaders.photos.load(self.raw.id)]

    @strawberry.field
    async def average_prices(self, info: Info) -> list[AveragePrice]:
        return [AveragePrice.of(row) for row in await info.context.loaders.average_prices.load(self.raw.id)]


@strawberry.type
class Trip:
    destination_id: strawberry.Private[str]
    slug: str
    title: str
    duration_days: int

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            destination_id=row.destination_id, slug=row.slug, title=text(row.title), duration_days=row.duration_days
        )

    @strawberry.field
    async def destination(self, info: Info) -> Destination:
        return Destination.of(await info.context.loaders.destinations.load(self.destination_id))


@strawberry.type
class Departure:
    trip_id: strawberry.Private[str]
    id: strawberry.ID
    starts_at: DateTime
    ends_at: DateTime
    status: DepartureStatus
    adult_price: Money

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            trip_id=row.trip_id, id=global_id("Departure", row.id), starts_at=instant(row.starts_at),
            ends_at=instant(row.ends_at), status=DepartureStatus(row.status), adult_price=Money.of(row.adult_price),
        )  # fmt: skip

    @strawberry.field
    async def trip(self, info: Info) -> Trip:
        return Trip.of(await info.context.loaders.trips.load(self.trip_id))


@strawberry.type
class Invoice:
    number: str
    issued_at: DateTime
    total: Money

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(number=row.number, issued_at=instant(row.issued_at), total=Money.of(row.total))


@strawberry.type
class Booking:
    raw: strawberry.Private[Any]
    id: strawberry.ID
    reference: str
    status: BookingStatus
    title: str
    starts_at: DateTime
    time_zone: str
    total: Money
    paid: Money
    hold_expires_at: DateTime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            raw=row, id=global_id("Booking", row.id), reference=row.reference, status=BookingStatus(row.status),
            title=text(row.title), starts_at=instant(row.starts_at), time_zone=row.time_zone,
            total=Money.of(row.total), paid=Money.of(row.paid),
            hold_expires_at=instant(row.hold_expires_at) if row.HasField("hold_expires_at") else None,
        )  # fmt: skip

    @strawberry.field
    async def departure(self, info: Info) -> Departure | None:
        row = await info.context.loaders.departures.load(self.raw.departure_id)
        return Departure.of(row) if row else None

    @strawberry.field
    async def invoice(self, info: Info) -> Invoice | None:
        invoices = await info.context.loaders.invoices.load(self.raw.id)
        return next((Invoice.of(row) for row in invoices if row.kind == INVOICE), None)


INVOICE: Final = 1  # INVOICE_KIND_INVOICE


@strawberry.type
class PriceLine:
    label: str
    quantity: int
    total: Money

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(label=text(row.label), quantity=row.quantity, total=Money.of(row.total))


@strawberry.type
class Quote:
    id: strawberry.ID
    expires_at: DateTime
    total: Money
    lines: list[PriceLine]

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            id=global_id("Quote", row.id), expires_at=instant(row.expires_at), total=Money.of(row.total),
            lines=[PriceLine.of(line) for line in row.lines],
        )  # fmt: skip
