"""Statements that are sent together, and rows that are inserted by a compiled statement.

These tests of shared/statement.py are here because they need tables to write to.
"""

import pytest
from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from bookings_service.bookings.models import Quote, SeatInventory
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.statement import Insert, Statement, one_round_trip

pytestmark = pytest.mark.django_db(transaction=True)

QUOTIENT: Statement[int] = Statement(int, "SELECT %(dividend)s::int / %(divisor)s::int")
INVENTORY, QUOTE, EVENT = Insert(SeatInventory), Insert(Quote), Insert(OutboxEvent)


def seats(**changes: int) -> SeatInventory:
    return SeatInventory(departure_id=uuid7(), version=1, starts_at=timezone.now(), **{"capacity": 5, **changes})


def test_answers_are_read_after_the_statements_were_sent_together() -> None:
    with one_round_trip():
        four, three = QUOTIENT.send(dividend=8, divisor=2), QUOTIENT.send(dividend=9, divisor=3)

    assert (four.all(), three.first()) == ([4], 3)


def test_no_statement_is_executed_after_one_that_failed() -> None:
    """The error is Django's, and the transaction writes nothing. Seen failing (psycopg's error) without the wrapper."""

    def send() -> None:
        with transaction.atomic(), one_round_trip():
            INVENTORY.send(seats())
            QUOTIENT.send(dividend=1, divisor=0)
            INVENTORY.send(seats())

    with pytest.raises(DataError, match="division by zero"):
        send()

    assert SeatInventory.objects.count() == 0


def test_a_constraint_refuses_an_inserted_row() -> None:
    with pytest.raises(IntegrityError, match="seats_never_oversold"), transaction.atomic(), one_round_trip():
        INVENTORY.send(seats(held=6))


def test_an_inserted_row_is_the_row_that_a_model_saves() -> None:
    """JSON, instants, NULL, defaults, and the time of the INSERT. Saved again, the row is updated."""
    event = OutboxEvent(type="t", topic="t", key="k", sequence=2**40, value="é", occurred_at=timezone.now())
    quote = Quote(
        traveller_id=uuid7(), departure_id=uuid7(), adults=2, children=0, currency="EUR", total_minor=100_000,
        lines=[{"label": {"en": "Adult", "fr": "Adulte"}}], policy=[], title_en="Kyoto", title_fr="Kyoto",
        starts_at=timezone.now(), ends_at=timezone.now(), time_zone="Asia/Tokyo", expires_at=timezone.now(),
    )  # fmt: skip

    EVENT.send(event)
    QUOTE.send(quote)
    quote.save()

    stored = Quote.objects.get()
    assert {field.attname: getattr(stored, field.attname) for field in Quote._meta.concrete_fields} == {
        field.attname: getattr(quote, field.attname) for field in Quote._meta.concrete_fields
    }
    assert OutboxEvent.objects.values_list("sequence", "value", "delivered_at").get() == (2**40, "é", None)
