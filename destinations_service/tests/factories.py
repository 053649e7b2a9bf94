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
    """A country by default. `names` are its English and its French name; `daily_cost` is its mid-range price."""

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
    def names(self: Destination, create: bool, names: tuple[str, str] | None, **_: Any) -> None:
        english, french = names or (self.slug.title(), self.slug.title())
        for language, name in (("EN", english), ("FR", french)):
            DestinationTranslation.objects.create(destination=self, language=language, name=name)
        refresh_search(ids=[self.id])

    @factory.post_generation
    def daily_cost(self: Destination, create: bool, amount: int | None, **_: Any) -> None:
        if amount:
            AveragePrice.objects.create(
                destination=self, category="DAY_MIDRANGE", amount=amount, currency=self.currency,
                as_of=datetime.now(UTC).date(), source="a test",
            )  # fmt: skip
            refresh_costs(ids=[self.id])


class TripFactory(factory.django.DjangoModelFactory[Trip]):
    """A trip with translations and a cancellation policy."""

    class Meta:
        model = Trip
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda number: f"trip-{number}")
    destination = factory.SubFactory(DestinationFactory)
    duration_days = 5
    currency = "EUR"

    @factory.post_generation
    def translations_and_policy(self: Trip, create: bool, _: Any, **__: Any) -> None:
        for language in ("EN", "FR"):
            TripTranslation.objects.create(trip=self, language=language, title=f"{self.slug} {language}")
        CancellationRule.objects.create(trip=self, days_before=7, refund_percent=50)
        CancellationRule.objects.create(trip=self, days_before=30, refund_percent=100)


class DepartureFactory(factory.django.DjangoModelFactory[Departure]):
    """A departure in ten days or more. Each new one starts a day later than the previous one."""

    class Meta:
        model = Departure

    trip = factory.SubFactory(TripFactory)
    starts_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=next(_days)))
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + timedelta(days=5))
    time_zone = "Europe/Paris"
    capacity = 10
    adult_price = Decimal("100.00")
    child_price = Decimal("60.00")
