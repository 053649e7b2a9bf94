"""A process killed in the middle of a booking delays it; it loses and repeats nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.testing import eventually
from tests.journeys import mails
from tests.journeys.api import Client, new_key
from tests.journeys.travellers import Departure, Traveller

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 45  # s: a restart's back-off, and what waits for it


def status() -> dict[str, dict]:
    """Return each process of the platform by name, as `status --json` tells it."""
    done = subprocess.run(
        [sys.executable, "manage_all.py", "status", "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)
    rows = told["processes"] if isinstance(told, dict) else told
    return {row["name"]: row for row in rows}


def kill(name: str) -> int:
    """Kill one process of the platform with SIGKILL and return the pid it had."""
    pid = int(status()[name]["pid"])
    os.kill(pid, signal.SIGKILL)
    return pid


def is_back(name: str, killed: int) -> bool:
    """Whether the process runs again, and is ready."""
    row = status()[name]
    return row["pid"] not in {None, killed} and row["state"] == "ready"


@pytest.fixture(scope="module")
def unlucky() -> Traveller:
    return Traveller.register(first_name="Gus")


@pytest.mark.parametrize(
    "name",
    ["bookings.relay", "bookings.web", "notifications.consumer", "notifications.worker", "notifications.rpc"],
)
def test_a_helper_killed_while_paying_delays_at_most(unlucky, departure, seats_free, name):
    """Held before the kill, paid right after it: CONFIRMED once, mailed, the seats taken once."""
    before = seats_free(departure)
    reference = unlucky.hold(departure)["reference"]

    killed = kill(name)
    paying = unlucky.pay(reference)  # what another service owns of the answer may be null, with an error on its path
    assert paying.data
    assert paying.data["payBooking"]["errors"] == []

    eventually(lambda: confirmed(unlucky, reference), timeout=PATIENCE, every=0.2)
    mails.wait_for(unlucky.email, containing=reference, attached="application/pdf", timeout=PATIENCE)
    eventually(lambda: is_back(name, killed), timeout=PATIENCE, every=0.5)
    assert seats_free(departure) == before - 2
    assert [event["type"] for event in unlucky.booking(reference)["history"]] == [
        *("booking.created", "payment.succeeded", "booking.confirmed"),
    ]


@pytest.mark.parametrize("name", ["bookings.rpc", "users.rpc", "gateway.web"])
def test_a_server_killed_while_booking_delays_at_most(unlucky, departure, seats_free, name):
    """The traveller asks again with the same keys until it is done: one booking, one payment."""
    before = seats_free(departure)
    quote, create_key, pay_key = unlucky.quote(departure)["id"], new_key(), new_key()

    killed = kill(name)
    booking = eventually(lambda: insist(unlucky, quote, create_key), timeout=PATIENCE, every=0.3)
    eventually(lambda: paid(unlucky, booking["reference"], pay_key), timeout=PATIENCE, every=0.3)

    eventually(lambda: confirmed(unlucky, booking["reference"]), timeout=PATIENCE, every=0.3)
    eventually(lambda: is_back(name, killed), timeout=PATIENCE, every=0.5)
    assert seats_free(departure) == before - 2
    history = [event["type"] for event in unlucky.booking(booking["reference"])["history"]]
    assert sorted(history) == ["booking.confirmed", "booking.created", "payment.succeeded"]


def insist(traveller: Traveller, quote: str, key: str) -> dict | None:
    """Ask for the booking once more; None while the platform cannot answer."""
    payload = asked(lambda: traveller.create(quote, key=key), "createBooking")
    return payload and payload["booking"]


def paid(traveller: Traveller, reference: str, key: str) -> bool:
    """Whether the payment with this key was taken, or was already."""
    payload = asked(lambda: traveller.pay(reference, key=key), "payBooking")
    return bool(payload and (payload["payment"] or {"ALREADY_PAID"} & {error["code"] for error in payload["errors"]}))


def confirmed(traveller: Traveller, reference: str) -> bool:
    """Whether the booking is known to be CONFIRMED."""
    try:
        return bool((traveller.booking(reference) or {}).get("status") == "CONFIRMED")
    except Exception:
        return False


def asked(ask, name):
    """The payload of one mutation; None where there was no answer, or an error that says to try again."""
    try:
        answer = ask()
    except Exception:
        return None
    return None if answer.errors else answer.data[name]


def test_a_search_is_answered_while_bookings_is_away(departure: Departure):
    """One service down never empties the answer: `seatsAvailable` is null with an error on its path."""
    killed = kill("bookings.rpc")
    query = "query ($id: ID!) { node(id: $id) { ... on Departure { startsAt seatsAvailable } } }"

    answer = Client().graphql(query, id=departure.id)

    assert answer.data
    assert answer.data["node"]["startsAt"]
    eventually(lambda: is_back("bookings.rpc", killed), timeout=PATIENCE, every=0.5)
    eventually(
        lambda: Client().graphql(query, id=departure.id).data["node"]["seatsAvailable"] is not None, timeout=PATIENCE
    )
