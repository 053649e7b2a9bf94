"""A service handles an event, or says that it ignores it, and not both."""

import pytest

from contracts.travel.events.v1.bookings_pb2 import BookingCreated, BookingSnapshot, PaymentSucceeded
from shared.kafka import handlers
from shared.kafka.handlers import handles, ignores


@pytest.fixture(autouse=True)
def _empty_registers(monkeypatch):
    monkeypatch.setattr(handlers, "registered", {})
    monkeypatch.setattr(handlers, "ignored", set())


def test_an_ignored_event_is_known():
    ignores(BookingCreated, PaymentSucceeded)

    assert handlers.ignored == {BookingCreated, PaymentSucceeded}


def test_an_event_is_not_both_ignored_and_handled():
    """Seen failing without either of the two checks: the handler would run although the service says that it ignores."""
    ignores(BookingCreated)
    handles(PaymentSucceeded)(lambda event, *, received: None)

    with pytest.raises(ValueError, match="BookingCreated is both ignored and handled"):
        handles(BookingCreated)(lambda event, *, received: None)
    with pytest.raises(ValueError, match="PaymentSucceeded is both ignored and handled"):
        ignores(PaymentSucceeded)


@pytest.mark.parametrize("declare", [ignores, lambda message: handles(message)(lambda event, *, received: None)])
def test_only_events_are_declared(declare):
    with pytest.raises(KeyError, match="BookingSnapshot is no event"):
        declare(BookingSnapshot)
