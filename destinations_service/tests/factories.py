"""Places, trips and departures for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import factory

from destinations_service.catalogue.models import (
    AveragePrice,
    CancellationRule,
    Departure,
    Destination,
    DestinationTranslation,
    Trip,
    TripTranslation,
)
from destinations_service.catalogue.services import refresh_costs, refresh_search

_days = count(10)


class DestinationFactory(factory.django.DjangoModelFactory[Destination]):
    """A country by default; `names` are its English and French name."""

    class Meta:
        model = Destination
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"place-{number}")
    kind = "COUNTRY"
    country_code = "FR"
    currency = "EUR"
    time_zone = "Europe/Paris"
    ancestors = factory.LazyAttribute(lambda row: [*row.parent.ancestors, row.parent.id] if row.parent else [])
    parent = None

    @factory.post_generation
    def names(row: Destination, create: bool, given: tuple[str, str] | None, **_: Any) -> None:  # noqa: N805
        english, french = given or (row.slug.title(), row.slug.title())
        for language, name in (("EN", english), ("FR", french)):
            DestinationTranslation.objects.create(destination=row, language=language, name=name)
        refresh_search(ids=[row.id])

    @factory.post_generation
    def daily(row: Destination, create: bool, amount: int | None, **_: Any) -> None:  # noqa: N805
        if amount:
            AveragePrice.objects.create(
                destination=row, category="DAY_MIDRANGE", amount=amount, currency=row.currency,
                as_of=datetime.now(UTC).date(), source="a test",
            )  # fmt: skip
            refresh_costs(ids=[row.id])


class TripFactory(factory.django.DjangoModelFactory[Trip]):
    """A trip with words and a policy."""

    class Meta:
        model = Trip
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"trip-{number}")
    destination = factory.SubFactory(DestinationFactory)
    duration_days = 5
    currency = "EUR"

    @factory.post_generation
    def words(row: Trip, create: bool, _: Any, **__: Any) -> None:  # noqa: N805
        for language in ("EN", "FR"):
            TripTranslation.objects.create(trip=row, language=language, title=f"{row.slug} {language}")
        CancellationRule.objects.create(trip=row, days_before=7, refund_percent=50)
        CancellationRule.objects.create(trip=row, days_before=30, refund_percent=100)


class DepartureFactory(factory.django.DjangoModelFactory[Departure]):
    """A departure some days ahead, each a day later than the one before."""

    class Meta:
        model = Departure

    trip = factory.SubFactory(TripFactory)
    starts_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=next(_days)))
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + timedelta(days=5))
    time_zone = "Europe/Paris"
    capacity = 10
    adult_price = Decimal("100.00")
    child_price = Decimal("60.00")
