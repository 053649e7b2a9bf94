"""Staff move a departure that people have booked: nothing is silent, and each traveller decides."""

import base64
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from shared.testing import eventually
from tests.journeys import mails
from tests.journeys.api import Client, address
from tests.journeys.travellers import Departure, Traveller

CHANGE = """query ($reference: String!) { booking(reference: $reference) {
  startsAt change { reason previousStartsAt freeCancellationUntil acceptedAt } history { type } } }"""
ACCEPT = """mutation ($reference: String!) { acceptChange(reference: $reference) {
  booking { change { acceptedAt } } errors { code } } }"""
LOGIN = """mutation ($email: String!, $password: String!) { login(email: $email, password: $password) {
  accessToken errors { code } } }"""
REASON = "The ferry does not run that week."


@pytest.fixture(scope="module")
def catalogue() -> httpx.Client:
    """destinations_service's own REST, signed in as staff."""
    password = (Path(address("TRAVEL_VAR")) / "secrets" / "ADMIN_PASSWORD").read_text().strip()
    token = Client().graphql(LOGIN, email="admin@travel.example", password=password).field("login")["accessToken"]
    gateway = urlsplit(address("PUBLIC_URL"))
    return httpx.Client(
        base_url=f"http://localhost:{(gateway.port or 8000) + 2}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )


def moved(departure: Departure, *, by: timedelta, reason: str = REASON) -> dict[str, Any]:
    """Return the body that moves a departure with its length unchanged."""
    ends = departure.ends_at or departure.starts_at
    body = {"starts_at": (departure.starts_at + by).isoformat(), "ends_at": (ends + by).isoformat()}
    return {**body, "reason": reason} if reason else body


def path_of(departure: Departure) -> str:
    return f"/departures/{base64.b64decode(departure.id).decode().partition(':')[2]}/"


def booked(traveller: Traveller, reference: str) -> Any:
    return traveller.graphql(CHANGE, reference=reference).field("booking")


def test_a_moved_departure_is_confirmed_by_staff_and_answered_by_travellers(departure, catalogue):
    ends = catalogue.get(path_of(departure)).json()["ends_at"]
    departure = Departure(departure.id, departure.seats, departure.starts_at, datetime.fromisoformat(ends))
    accepting, leaving = Traveller.register(first_name="Ann"), Traveller.register(first_name="Bob")
    references = {}
    for traveller in (accepting, leaving):
        references[traveller.email] = str(traveller.hold(departure, adults=1)["reference"])
        assert traveller.pay(references[traveller.email]).refusals("payBooking") == []
    for traveller in (accepting, leaving):
        mine = references[traveller.email]
        eventually(lambda of=traveller, at=mine: of.booking(at)["status"] == "CONFIRMED", timeout=30)
    by = timedelta(days=3, minutes=secrets.randbelow(60))

    silent = catalogue.patch(path_of(departure), json=moved(departure, by=by, reason=""))
    assert (silent.status_code, silent.json()["code"]) == (409, "DEPARTURE_HAS_BOOKINGS")
    assert "2 bookings" in silent.json()["detail"]
    assert booked(accepting, references[accepting.email])["change"] is None

    done = catalogue.patch(path_of(departure), json=moved(departure, by=by))
    assert done.status_code == 200, done.text

    for traveller in (accepting, leaving):
        mine = references[traveller.email]
        booking = eventually(lambda of=traveller, at=mine: (now := booked(of, at))["change"] and now, timeout=30)
        assert datetime.fromisoformat(booking["startsAt"]) == departure.starts_at + by
        assert booking["change"]["reason"] == REASON
        assert datetime.fromisoformat(booking["change"]["previousStartsAt"]) == departure.starts_at
        assert "booking.departure_changed" in [entry["type"] for entry in booking["history"]]
        mail = mails.wait_for(traveller.email, containing="new dates")
        assert REASON in mails.text(mail)
        assert "METHOD:REQUEST" in mails.attachments(mail, "text/calendar")[0].decode()

    mine = references[leaving.email]
    quote = leaving.quote_cancellation(mine).field("quoteCancellation")["cancellationQuote"]
    assert quote["kept"]["amount"] == "0.00"
    assert leaving.cancel(quote["id"]).refusals("cancelBooking") == []
    paid = leaving.booking(mine)["paid"]
    eventually(lambda: leaving.booking(mine)["refunded"] == paid, timeout=30)

    mine = references[accepting.email]
    accepted = accepting.graphql(ACCEPT, reference=mine).field("acceptChange")
    assert accepted["errors"] == []
    assert accepted["booking"]["change"]["acceptedAt"]
    assert leaving.graphql(ACCEPT, reference=mine).refusals("acceptChange") == ["NOT_FOUND"]
