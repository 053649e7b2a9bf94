"""A repeated write has one effect, whatever the network did in between."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from shared.testing import eventually
from tests.journeys.api import new_key
from tests.journeys.travellers import PASSENGERS


def test_the_same_key_and_body_is_the_same_booking(booker, departure, seats_free):
    quote, key = booker.quote(departure)["id"], new_key()
    before = seats_free(departure)

    first = booker.create(quote, key=key).field("createBooking")["booking"]
    again = booker.create(quote, key=key).field("createBooking")["booking"]

    assert again["reference"] == first["reference"]
    assert [entry["type"] for entry in again["history"]] == ["booking.created"]
    assert seats_free(departure) == before - 2


def test_the_same_key_and_another_body_is_refused(booker, departure, seats_free):
    quote, key = booker.quote(departure)["id"], new_key()
    first = booker.create(quote, key=key).field("createBooking")["booking"]
    free_seats = seats_free(departure)

    other = booker.create(quote, key=key, passengers=list(reversed(PASSENGERS[:2])))

    assert other.refusals("createBooking") == ["IDEMPOTENCY_KEY_REUSED"]
    assert booker.booking(first["reference"]) == first
    assert seats_free(departure) == free_seats


def test_a_refusal_leaves_the_key_free(booker, departure):
    quote, key = booker.quote(departure)["id"], new_key()

    refused = booker.create(quote, adults=1, key=key)
    accepted = booker.create(quote, key=key)

    assert refused.refusals("createBooking") == ["PASSENGERS_MISMATCH"]
    assert accepted.refusals("createBooking") == []


def test_one_key_sent_ten_times_at_once_is_one_booking(booker, departure, seats_free):
    quote, key = booker.quote(departure)["id"], new_key()
    before = seats_free(departure)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: booker.create(quote, key=key), range(10)))

    outcomes = Counter(tuple(answer.refusals("createBooking")) for answer in answers)
    assert set(outcomes) <= {(), ("IDEMPOTENCY_KEY_IN_FLIGHT",)}
    assert outcomes[()] >= 1
    references = {
        answer.field("createBooking")["booking"]["reference"]
        for answer in answers
        if not answer.refusals("createBooking")
    }
    assert len(references) == 1
    assert seats_free(departure) == before - 2


def test_paying_twice_at_once_captures_once(booker, departure):
    reference = booker.hold(departure)["reference"]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: booker.pay(reference), range(2)))

    refusals = sorted(code for answer in answers for code in answer.refusals("payBooking"))
    assert refusals in (["ALREADY_PAID"], ["PAYMENT_IN_PROGRESS"])
    eventually(lambda: booker.booking(reference)["status"] == "CONFIRMED", timeout=30)
    booking = booker.booking(reference)
    assert [payment["status"] for payment in booking["payments"]].count("SUCCEEDED") == 1
    assert booking["paid"] == booking["total"]


def test_a_payment_repeated_with_its_key_is_the_same_payment(booker, departure):
    reference, key = booker.hold(departure)["reference"], new_key()

    first = booker.pay(reference, key=key).field("payBooking")
    again = booker.pay(reference, key=key).field("payBooking")

    assert (first["errors"], again["errors"]) == ([], [])
    assert again["payment"]["id"] == first["payment"]["id"]


def test_a_key_is_visible_ascii(booker, departure):
    quote = booker.quote(departure)["id"]

    for key in ("", "a" * 256, "clé", "a b\n", "\x00"):
        answer = booker.create(quote, idempotencyKey=key)
        codes = answer.codes or answer.refusals("createBooking")
        assert codes == ["BAD_USER_INPUT"], key
    assert booker.create(quote, key="~!" + "k" * 253).refusals("createBooking") == []
