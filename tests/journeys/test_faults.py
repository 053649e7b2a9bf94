"""Killing a process during a booking delays the booking. Nothing is lost or repeated."""

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
PATIENCE = 45  # s: the back-off of a restart, and the work that waits for it


def status() -> dict[str, dict]:
    """Return the rows of `status --json` by process name."""
    done = subprocess.run(
        [sys.executable, "manage_all.py", "status", "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout)
    rows = report["processes"] if isinstance(report, dict) else report
    return {row["name"]: row for row in rows}


def kill(name: str) -> int:
    """Kill one process of the platform with SIGKILL and return the pid it had."""
    pid = int(status()[name]["pid"])
    os.kill(pid, signal.SIGKILL)
    return pid


def is_back(name: str, killed: int) -> bool:
    """Return whether the process has restarted and is ready."""
    row = status()[name]
    return row["pid"] not in {None, killed} and row["state"] == "ready"


@pytest.fixture(scope="module")
def payer() -> Traveller:
    return Traveller.register(first_name="Gus")


@pytest.mark.parametrize(
    "name",
    ["bookings.relay", "bookings.web", "notifications.consumer", "notifications.worker", "notifications.rpc"],
)
def test_killing_a_background_process_only_delays_a_payment(payer, departure, seats_free, name):
    """Hold, kill the process, pay: the booking is CONFIRMED once, a mail is sent, and the seats are taken once."""
    before = seats_free(departure)
    reference = payer.hold(departure)["reference"]

    killed = kill(name)
    paying = payer.pay(reference)  # fields of another service may be null, with an error on their path
    assert paying.data
    assert paying.data["payBooking"]["errors"] == []

    eventually(lambda: confirmed(payer, reference), timeout=PATIENCE, every=0.2)
    mails.wait_for(payer.email, containing=reference, attached="application/pdf", timeout=PATIENCE)
    eventually(lambda: is_back(name, killed), timeout=PATIENCE, every=0.5)
    assert seats_free(departure) == before - 2
    assert [event["type"] for event in payer.booking(reference)["history"]] == [
        *("booking.created", "payment.succeeded", "booking.confirmed"),
    ]


@pytest.mark.parametrize("name", ["bookings.rpc", "users.rpc", "gateway.web"])
def test_killing_a_server_only_delays_a_booking(payer, departure, seats_free, name):
    """The traveller repeats with the same keys until there is an answer: one booking and one payment."""
    before = seats_free(departure)
    quote, create_key, pay_key = payer.quote(departure)["id"], new_key(), new_key()

    killed = kill(name)
    booking = eventually(lambda: try_to_book(payer, quote, create_key), timeout=PATIENCE, every=0.3)
    eventually(lambda: paid(payer, booking["reference"], pay_key), timeout=PATIENCE, every=0.3)

    eventually(lambda: confirmed(payer, booking["reference"]), timeout=PATIENCE, every=0.3)
    eventually(lambda: is_back(name, killed), timeout=PATIENCE, every=0.5)
    assert seats_free(departure) == before - 2
    history = [event["type"] for event in payer.booking(booking["reference"])["history"]]
    assert sorted(history) == ["booking.confirmed", "booking.created", "payment.succeeded"]


def try_to_book(traveller: Traveller, quote: str, key: str) -> dict | None:
    """Ask for the booking once. Return None while the platform cannot answer."""
    payload = payload_of(lambda: traveller.create(quote, key=key), "createBooking")
    return payload and payload["booking"]


def paid(traveller: Traveller, reference: str, key: str) -> bool:
    """Ask for the payment once. Return whether it was taken, now or before."""
    payload = payload_of(lambda: traveller.pay(reference, key=key), "payBooking")
    return bool(payload and (payload["payment"] or {"ALREADY_PAID"} & {error["code"] for error in payload["errors"]}))


def confirmed(traveller: Traveller, reference: str) -> bool:
    """Return whether the booking is CONFIRMED; False while the platform cannot answer."""
    try:
        return bool((traveller.booking(reference) or {}).get("status") == "CONFIRMED")
    except Exception:
        return False


def payload_of(ask, name):
    """Return the payload of one mutation, or None if there is no answer or a top-level error."""
    try:
        answer = ask()
    except Exception:
        return None
    return None if answer.errors else answer.data[name]


def test_the_catalogue_answers_while_bookings_is_down(departure: Departure):
    """Only the field of the service that is down is null: `seatsAvailable`, with an error on its path."""
    killed = kill("bookings.rpc")
    query = "query ($id: ID!) { node(id: $id) { ... on Departure { startsAt seatsAvailable } } }"

    answer = Client().graphql(query, id=departure.id)

    assert answer.data
    assert answer.data["node"]["startsAt"]
    eventually(lambda: is_back("bookings.rpc", killed), timeout=PATIENCE, every=0.5)
    eventually(
        lambda: Client().graphql(query, id=departure.id).data["node"]["seatsAvailable"] is not None, timeout=PATIENCE
    )
