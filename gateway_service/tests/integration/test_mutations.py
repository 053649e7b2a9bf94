"""The answer of a mutation: its object, a refusal in the payload, or a top-level error. Also exact inputs."""

from typing import Any
from uuid import UUID

import pytest

from contracts.travel.bookings.v1 import bookings_pb2 as b
from gateway_service.gateway.ids import to_global_id
from gateway_service.tests.backends import Backends
from gateway_service.tests.world import SeatsUnavailable, timestamp
from shared import errors
from shared.ids import uuid7
from shared.text import Text

QUOTE = """mutation($d: ID!, $a: Int!, $w: ID) { createQuote(departure: $d, adults: $a, waitlistEntry: $w) {
  quote { id total { amount } departure { id } } errors { code message field params } } }"""
BOOK = """mutation($i: CreateBookingInput!) { createBooking(input: $i) {
  booking { reference } errors { code message field params } } }"""
PAY = """mutation($i: PayBookingInput!) { payBooking(input: $i) {
  payment { status } booking { status } errors { code params } } }"""

RENAME = """mutation($i: ID!) { renamePassenger(id: $i, firstName: "Ann", lastName: "Lee") {
  booking { reference } errors { code field } } }"""
ACCEPT = """mutation($r: String!) { acceptChange(reference: $r) { booking { reference startsAt change {
  at reason previousStartsAt previousEndsAt freeCancellationUntil acceptedAt } } errors { code field } } }"""


class QuoteExpired(errors.Conflict):
    code = "QUOTE_EXPIRED"
    text = Text(en="The quote has expired.", fr="Le devis a expiré.")


class NotChanged(errors.Conflict):
    code = "NOT_CHANGED"
    text = Text(en="Nothing was changed.", fr="Rien n’a changé.")


class Unlisted(errors.Invalid):
    code = "ODD_INPUT"


class InvalidName(errors.Invalid):
    code = "INVALID_NAME"


@pytest.fixture
def departure(backends: Backends) -> str:
    return to_global_id("Departure", backends.world.add_trip(1).id)


def booking_input(**more: Any) -> dict[str, Any]:
    passenger = {"firstName": "Ann", "lastName": "Lee", "kind": "ADULT"}
    quote = to_global_id("Quote", str(uuid7()))
    return {"quote": quote, "passengers": [passenger], "idempotencyKey": "key-1", **more}


async def test_a_quote_is_made_for_the_departure(ask: Any, token: str, departure: str) -> None:
    answer = await ask(QUOTE, token=token, d=departure, a=2)

    payload = answer["data"]["createQuote"]
    assert payload["errors"] == []
    assert payload["quote"]["total"] == {"amount": "100.00"}
    assert payload["quote"]["departure"] == {"id": departure}


async def test_a_listed_refusal_is_a_user_error(ask: Any, backends: Backends, token: str, departure: str) -> None:
    backends.world.refusals["CreateQuote"] = SeatsUnavailable(seatsLeft=2, field="adults")

    answer = await ask(QUOTE, token=token, d=departure, a=3, headers={"Accept-Language": "fr"})

    assert answer == {
        "data": {
            "createQuote": {
                "quote": None,
                "errors": [
                    {
                        "code": "SEATS_UNAVAILABLE",
                        "message": "Il ne reste que 2 places.",
                        "field": "adults",
                        "params": {"seatsLeft": 2},
                    }
                ],
            }
        }
    }


async def test_an_unlisted_refusal_is_a_top_level_error(
    ask: Any, backends: Backends, token: str, departure: str
) -> None:
    backends.world.refusals["CreateQuote"] = Unlisted(field="some_input")

    answer = await ask(QUOTE, token=token, d=departure, a=3)

    assert answer["data"] is None
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "reason": "ODD_INPUT", "field": "someInput"}
    assert error["path"] == ["createQuote"]


async def test_an_internal_error_of_a_service_reveals_nothing(
    ask: Any, backends: Backends, token: str, departure: str
) -> None:
    backends.world.refusals["CreateQuote"] = ZeroDivisionError("secret")

    (error,) = (await ask(QUOTE, token=token, d=departure, a=3))["errors"]

    assert error["extensions"] == {"code": "INTERNAL"}
    assert "secret" not in str(error)


async def test_an_unavailable_service_is_a_user_error_if_the_mutation_lists_it(
    ask: Any, unavailable: Any, token: str, departure: str
) -> None:
    unavailable("bookings")

    quoted = (await ask(QUOTE, token=token, d=departure, a=1))["data"]["createQuote"]["errors"]
    paid = await ask(PAY, token=token, i={"reference": "R", "paymentMethod": "pm_ok", "idempotencyKey": "k"})

    assert [(error["code"], error["params"]) for error in quoted] == [("UPSTREAM_UNAVAILABLE", {"retryAfter": 1})]
    assert paid["errors"][0]["extensions"] == {"code": "UPSTREAM_UNAVAILABLE", "retryAfter": 1}


async def test_malformed_ids_are_not_found(ask: Any, backends: Backends, token: str) -> None:
    wrong = ["x", to_global_id("Trip", str(uuid7())), to_global_id("Departure", "not-a-uuid")]

    answers = [await ask(QUOTE, token=token, d=id, a=1) for id in wrong]
    booked = await ask(BOOK, token=token, i=booking_input(quote="AAAA"))
    waiting = await ask(QUOTE, token=token, d=to_global_id("Departure", str(uuid7())), a=1, w="x")

    codes = {answer["data"]["createQuote"]["errors"][0]["code"] for answer in (*answers, waiting)}
    assert codes | {booked["data"]["createBooking"]["errors"][0]["code"]} == {"NOT_FOUND"}
    assert backends.calls["CreateQuote"] == backends.calls["CreateBooking"] == 0


async def test_mutations_of_bookings_and_profiles_require_sign_in(ask: Any, backends: Backends, departure: str) -> None:
    answers = [
        await ask(QUOTE, d=departure, a=1),
        await ask(BOOK, i=booking_input()),
        await ask(PAY, i={"reference": "R", "paymentMethod": "pm_ok", "idempotencyKey": "k"}),
        await ask(RENAME, i=to_global_id("Passenger", str(uuid7()))),
        await ask("mutation { updateProfile(input: {}) { user { id } } }"),
    ]

    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["UNAUTHENTICATED"] * 5
    assert backends.calls.total() == 0


@pytest.mark.parametrize(
    ("refusal", "code", "params"),
    [
        (QuoteExpired(), "QUOTE_EXPIRED", None),
        (errors.KeyReused(), "IDEMPOTENCY_KEY_REUSED", None),
        (errors.InFlight(retry_after=1), "IDEMPOTENCY_KEY_IN_FLIGHT", {"retryAfter": 1}),
        (errors.NotFound(), "NOT_FOUND", None),
    ],
)
async def test_a_refusal_of_a_booking_is_in_the_payload(
    refusal: errors.DomainError, code: str, params: Any, ask: Any, backends: Backends, token: str
) -> None:
    backends.world.refusals["CreateBooking"] = refusal

    payload = (await ask(BOOK, token=token, i=booking_input()))["data"]["createBooking"]

    assert payload["booking"] is None
    assert [(error["code"], error["params"]) for error in payload["errors"]] == [(code, params)]


async def test_the_field_of_a_refusal_has_the_schemas_spelling(ask: Any, backends: Backends, token: str) -> None:
    backends.world.refusals["CreateBooking"] = InvalidName(field="passengers[0].first_name")

    payload = (await ask(BOOK, token=token, i=booking_input()))["data"]["createBooking"]

    assert payload["errors"][0]["field"] == "passengers[0].firstName"


async def test_only_the_given_fields_of_a_profile_change(
    ask: Any, backends: Backends, traveller_id: UUID, token: str
) -> None:
    query = "mutation($i: ProfileInput!) { updateProfile(input: $i) { user { id } errors { code } } }"
    given = {"firstName": "Ann", "phone": None, "dateOfBirth": "1990-02-28", "locale": "FR", "notifyBySms": False}

    answer = await ask(query, token=token, i=given)

    (_, request, call) = next(request for request in backends.world.requests if request[0] == "UpdateProfile")
    sent = {field.name: value for field, value in request.ListFields() if field.name != "device"}
    assert sent | {"phone": request.phone} == {
        "first_name": "Ann", "phone": "", "date_of_birth": "1990-02-28", "locale": 2, "notify_by_sms": False
    }  # fmt: skip
    assert request.HasField("phone")
    assert not request.HasField("last_name")
    assert call.signed_in_traveller.id == traveller_id
    assert answer["data"]["updateProfile"] == {"user": {"id": to_global_id("User", str(traveller_id))}, "errors": []}


async def test_renaming_a_passenger_returns_the_booking(
    ask: Any, backends: Backends, token: str, traveller_id: UUID
) -> None:
    booking = backends.world.add_booking(traveller_id)
    passenger = booking.passengers[0].id

    answer = await ask(RENAME, token=token, i=to_global_id("Passenger", passenger))

    assert answer["data"]["renamePassenger"] == {"booking": {"reference": booking.reference}, "errors": []}
    (request,) = [request for name, request, _ in backends.world.requests if name == "RenamePassenger"]
    assert request == b.RenamePassengerRequest(passenger_id=passenger, first_name="Ann", last_name="Lee")


async def test_renaming_by_an_id_of_another_type_is_not_found(ask: Any, backends: Backends, token: str) -> None:
    answer = await ask(RENAME, token=token, i=to_global_id("Booking", str(uuid7())))

    assert answer["data"]["renamePassenger"]["errors"] == [{"code": "NOT_FOUND", "field": "id"}]
    assert backends.calls["RenamePassenger"] == 0


async def test_dates_and_decimals_are_exact(ask: Any, backends: Backends) -> None:
    for value in ("2026-02-30", "tomorrow", "20260228", 7):
        answer = await ask("query($d: Date) { trips(departsAfter: $d) { totalCount } }", d=value)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    for value in (1.5, 7, "1e3", "NaN", "1.", ""):
        money = {"amount": value, "currency": "EUR"}
        answer = await ask("query($m: MoneyInput) { trips(maxPrice: $m) { totalCount } }", m=money)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert backends.calls.total() == 0


async def test_accepting_a_change_returns_the_booking_with_the_change(
    ask: Any, backends: Backends, token: str, traveller_id: UUID
) -> None:
    booking = backends.world.add_booking(traveller_id)
    booking.change.CopyFrom(
        b.DepartureChange(
            at=timestamp(1), reason="The ferry does not sail.", previous_starts_at=timestamp(20),
            previous_ends_at=timestamp(23), free_cancellation_until=timestamp(15),
        )
    )  # fmt: skip

    answer = await ask(ACCEPT, token=token, r=booking.reference)

    change = answer["data"]["acceptChange"]["booking"]["change"]
    assert answer["data"]["acceptChange"]["errors"] == []
    assert (change["reason"], change["acceptedAt"]) == ("The ferry does not sail.", None)
    assert change["at"] < change["freeCancellationUntil"] < change["previousStartsAt"] < change["previousEndsAt"]
    assert backends.calls["AcceptChange"] == 1


async def test_a_booking_that_was_not_moved_has_no_change(
    ask: Any, backends: Backends, token: str, traveller_id: UUID
) -> None:
    booking = backends.world.add_booking(traveller_id)
    backends.world.refusals["AcceptChange"] = NotChanged()

    answer = await ask(ACCEPT, token=token, r=booking.reference)
    read = await ask(
        "query($r: String!) { booking(reference: $r) { change { at } } }", token=token, r=booking.reference
    )

    assert answer["data"]["acceptChange"] == {"booking": None, "errors": [{"code": "NOT_CHANGED", "field": None}]}
    assert read["data"]["booking"] == {"change": None}
