"""What is somebody else's is answered as what does not exist (abuse cases 29-31, 40, 54, 61)."""

import base64
import uuid

import pytest

from tests.journeys.test_booking_a_trip import WATCH
from tests.journeys.travellers import QUOTE, READ, Traveller

UNKNOWN = "ZZZZZZZZ"


@pytest.fixture(scope="module")
def theirs(traveller, _plenty):
    """A held booking of the traveller's."""
    return traveller.hold(next(_plenty))


def alike(first, second):
    """Whether two answers tell the same: status, data, codes and messages."""
    told = [(a.status, a.data, [(e["message"], e.get("extensions")) for e in a.errors]) for a in (first, second)]
    return told[0] == told[1]


def test_a_booking_is_unknown_to_a_stranger(stranger, visitor, theirs):
    foreign = stranger.graphql(READ, reference=theirs["reference"])

    assert foreign.field("booking") is None
    assert alike(foreign, stranger.graphql(READ, reference=UNKNOWN))
    assert not (visitor.graphql(READ, reference=theirs["reference"]).data or {}).get("booking")


@pytest.mark.parametrize(
    "kind", ["Booking", "Quote", "Payment", "Refund", "Invoice", "Notification", "User", "CancellationQuote"]
)
def test_no_node_of_somebody_else_is_found(stranger, traveller, theirs, kind):
    """The id of their booking under every type, and an id of nobody: both null, without an error."""
    inner = base64.b64decode(theirs["id"]).decode().partition(":")[2]
    query = "query ($id: ID!) { node(id: $id) { id } }"

    foreign = stranger.graphql(query, id=base64.b64encode(f"{kind}:{inner}".encode()).decode())
    nobody = stranger.graphql(query, id=base64.b64encode(f"{kind}:{uuid.uuid4()}".encode()).decode())

    assert not (foreign.data or {}).get("node")
    assert foreign.codes == nobody.codes
    assert traveller.graphql(query, id=theirs["id"]).field("node") == {"id": theirs["id"]}


def test_a_stranger_can_do_nothing_to_a_booking(stranger, traveller, theirs):
    paid = stranger.pay(theirs["reference"])
    cancelled = stranger.quote_cancellation(theirs["reference"])

    assert paid.refusals("payBooking") == ["NOT_FOUND"]
    assert alike(paid, stranger.pay(UNKNOWN))
    assert cancelled.refusals("quoteCancellation") == ["NOT_FOUND"]
    assert alike(cancelled, stranger.quote_cancellation(UNKNOWN))
    assert traveller.booking(theirs["reference"]) == theirs


def test_a_quote_serves_its_owner_alone(stranger, booker, departure):
    quote = booker.quote(departure)["id"]

    foreign = stranger.create(quote)

    assert foreign.refusals("createBooking") == ["NOT_FOUND"]
    nobody = base64.b64encode(f"Quote:{uuid.uuid4()}".encode()).decode()
    assert alike(foreign, stranger.create(nobody))
    assert booker.create(quote).refusals("createBooking") == []


def test_a_quote_is_used_once(booker, departure):
    quote = booker.quote(departure)["id"]
    assert booker.create(quote).refusals("createBooking") == []

    assert booker.create(quote).refusals("createBooking") == ["QUOTE_USED"]


def test_rest_knows_nobody_else_s_either(stranger, traveller, theirs):
    own = traveller.rest("GET", f"/api/v1/bookings/{theirs['reference']}/")
    foreign = stranger.rest("GET", f"/api/v1/bookings/{theirs['reference']}/")
    unknown = stranger.rest("GET", f"/api/v1/bookings/{UNKNOWN}/")

    assert own.status_code == 200
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.headers["content-type"] == "application/problem+json"
    different = {"instance", "request_id", "requestId"}
    told = [{k: v for k, v in answer.json().items() if k not in different} for answer in (foreign, unknown)]
    assert told[0] == told[1]


def test_nobody_watches_somebody_else_s_booking(stranger, traveller, theirs):
    with stranger.subscription(WATCH, reference=theirs["reference"], after=0) as foreign:
        first = foreign.message()
    with stranger.subscription(WATCH, reference=UNKNOWN, after=0) as unknown:
        second = unknown.message()

    told = [{"type": message["type"], "payload": codes(message)} for message in (first, second)]
    assert told[0] == told[1]
    assert first["type"] in {"error", "next", "complete"}
    assert theirs["id"] not in str(first)


def codes(message):
    """The codes in a subscription's message, wherever it keeps them."""
    payload = message.get("payload")
    errors = payload if isinstance(payload, list) else (payload or {}).get("errors", [])
    return [error.get("extensions", {}).get("code") for error in errors]


@pytest.mark.parametrize("adults", [0, -1])
def test_a_quote_needs_people(traveller, departure, adults):
    answer = traveller.graphql(QUOTE, departure=departure.id, adults=adults).field("createQuote")

    assert answer["quote"] is None
    assert [error["code"] for error in answer["errors"]] == ["INVALID_PASSENGERS"]


def test_a_number_beyond_32_bits_does_not_fit_the_schema(traveller, departure):
    assert traveller.graphql(QUOTE, departure=departure.id, adults=2147483648).codes == ["BAD_USER_INPUT"]


def test_an_unverified_account_books_nothing(departure):
    unverified = Traveller.register(first_name="Ivy", verified=False)
    quote = unverified.quote(departure)["id"]

    assert unverified.create(quote).refusals("createBooking") == ["EMAIL_NOT_VERIFIED"]
