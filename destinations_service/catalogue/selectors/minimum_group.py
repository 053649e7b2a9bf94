"""Departures that too few travellers have booked."""

from datetime import timedelta
from typing import Final

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Now

from destinations_service.catalogue.models import Departure, DepartureStatus

_NOTICE: Final = ExpressionWrapper(
    F("trip__minimum_days_before") * Value(timedelta(days=1)), output_field=DurationField()
)


def below_minimum(departures: QuerySet[Departure]) -> QuerySet[Departure]:
    """Return those to come that are below the trip's minimum group, once its days of notice have begun.

    Seats are read from the copy. Nothing is cancelled: staff decide.
    """
    listed_until = ExpressionWrapper(Now() + _NOTICE, output_field=DateTimeField())
    return departures.exclude(status=DepartureStatus.CANCELLED).filter(
        starts_at__gt=Now(), starts_at__lte=listed_until, seats_taken__lt=F("trip__minimum_group")
    )
