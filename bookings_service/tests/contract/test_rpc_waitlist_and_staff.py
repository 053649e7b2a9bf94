"""The waiting list, renaming and the actions of staff over gRPC."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from bookings_service.payments.models import Refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.contract.test_rpc import Client, channel, client, refusal
from bookings_service.tests.doubles import Destinations
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.common.v1 import common_pb2
from shared.auth.testing import mint_access_token
from shared.ids import uuid7

__all__ = ["channel", "client"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox", "users")]

Clients = Callable[[UUID], Client]


def as_staff(channel: grpc.Channel, *roles: str) -> Client:
    """Return a client that calls for a member of staff with these roles."""
    client = Client(channel, uuid7())
    client.metadata[1] = ("authorization", f"Bearer {mint_access_token(uuid7(), roles=roles)}")
    return client


def test_a_waiting_list_entry_from_joining_to_the_quote(
    client: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    departure, other = destinations.publish(capacity=2), uuid7()
    booking = buyer.book(departure)
    call = client(other)

    entry = call("JoinWaitlist", departure_id=str(departure), seats=2).entry
    assert (entry.status, entry.position, entry.HasField("offered_until")) == (pb.WAITLIST_STATUS_WAITING, 1, False)
    buyer.cancel(booking)
    offered = call("BatchListWaitlist", traveller_ids=[str(other), str(buyer.who.id)]).waitlists
    assert [len(waitlist.entries) for waitlist in offered] == [1, 0]
    assert (offered[0].entries[0].status, offered[0].entries[0].position) == (pb.WAITLIST_STATUS_OFFERED, 0)
    assert offered[0].entries[0].offered_until.seconds
    call("CreateQuote", departure_id=str(departure), adults=2, waitlist_entry_id=entry.id)
    assert call("BatchGetWaitlistEntries", ids=[entry.id]).entries[0].status == pb.WAITLIST_STATUS_TAKEN


def test_a_waiting_list_entry_of_others_is_answered_as_unknown(
    client: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=1)
    buyer.book(departure, adults=1)
    entry = client(uuid7())("JoinWaitlist", departure_id=str(departure), seats=1).entry
    booking, stranger = buyer.book(destinations.publish()), client(uuid7())

    assert not stranger("BatchGetWaitlistEntries", ids=[entry.id]).entries
    unknown = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", {})
    calls: list[tuple[str, dict[str, Any]]] = [
        ("LeaveWaitlist", {"id": entry.id}),
        ("CreateQuote", {"departure_id": str(departure), "adults": 1, "waitlist_entry_id": entry.id}),
        ("RenamePassenger", {"passenger_id": str(booking.passengers[0].id), "first_name": "E", "last_name": "E"}),
    ]
    for method, fields in calls:
        assert refusal(lambda m=method, f=fields: stranger(m, **f)) == unknown


def test_a_name_is_corrected(client: Clients, buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    fields = {"passenger_id": str(booking.passengers[0].id), "first_name": "Anouk", "last_name": "Lind"}

    renamed = client(buyer.who.id)("RenamePassenger", **fields).booking

    assert (renamed.passengers[0].first_name, renamed.sequence) == ("Anouk", 2)


def test_staff_cancel_and_refund(channel: grpc.Channel, buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.pay(buyer.book(destinations.publish(policy=((1, 0),))))[1]
    agent, finance = as_staff(channel, "booking_agent"), as_staff(channel, "finance")
    money = common_pb2.Money(minor_units=1_250, currency_code="EUR")
    refund = {"reference": booking.reference, "amount": money, "reason": "Sorry", "idempotency_key": str(uuid4())}

    assert finance("StaffRefundBooking", **refund).refund.amount == money
    quoted = agent("StaffQuoteCancellation", reference=booking.reference, reason="Illness", refund_percent=50)
    assert quoted.cancellation_quote.refund.minor_units == 50_000
    by_rule = agent("StaffQuoteCancellation", reference=booking.reference, reason="Illness")
    assert by_rule.cancellation_quote.refund.minor_units == 0
    after = agent("StaffCancelBooking", cancellation_quote_id=quoted.cancellation_quote.id).booking
    assert after.reason == pb.BOOKING_REASON_CANCELLED_BY_STAFF


def test_every_action_of_staff_is_forbidden_to_others(
    channel: grpc.Channel, client: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    money = common_pb2.Money(minor_units=1, currency_code="EUR")
    actions: list[tuple[str, str, dict[str, Any]]] = [
        ("StaffQuoteCancellation", "booking_agent", {"reference": booking.reference, "reason": "x"}),
        ("StaffCancelBooking", "booking_agent", {"cancellation_quote_id": str(uuid7())}),
        ("StaffRefundBooking", "finance", {"reference": booking.reference, "amount": money, "reason": "x"}),
    ]
    for method, role, fields in actions:
        others = [as_staff(channel, other) for other in {"booking_agent", "finance", "support"} - {role}]
        for caller in (client(buyer.who.id), *others):
            refused = refusal(lambda m=method, f=fields, c=caller: c(m, **f))
            assert refused[:2] == (grpc.StatusCode.PERMISSION_DENIED, "FORBIDDEN"), method


@pytest.mark.parametrize(
    ("minor", "currency"), [(0, "EUR"), (-1, "EUR"), (100_001, "EUR"), (1, "USD"), (1, ""), (-(2**63), "JPY")]
)
def test_invalid_refunds_are_refused(
    channel: grpc.Channel, buyer: Buyer, destinations: Destinations, minor: int, currency: str
) -> None:
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    money = common_pb2.Money(minor_units=minor, currency_code=currency)
    fields = {"reference": booking.reference, "amount": money, "reason": "Sorry", "idempotency_key": "k"}

    status, code, _ = refusal(lambda: as_staff(channel, "finance")("StaffRefundBooking", **fields))

    assert (status, code) in {
        (grpc.StatusCode.INVALID_ARGUMENT, "BAD_USER_INPUT"),
        (grpc.StatusCode.FAILED_PRECONDITION, "REFUND_TOO_LARGE"),
    }
    assert not Refund.objects.exists()
