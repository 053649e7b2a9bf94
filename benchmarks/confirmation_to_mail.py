"""How long it takes from the commit of a confirmation until its mail is in the Maildir. It asserts nothing.

`./manage_all.py bench confirmation_to_mail [--bookings 30] [--pause 0.5]` needs a running platform. It registers a
traveller, then books, pays and cancels single seats one after another through GraphQL. It compares the time in the
confirmation with the time at which the mail's file was complete. TRAVEL_VAR and PORT_OFFSET choose the platform. It
prints the median and the spread, and writes benchmarks/results/confirmation_to_mail.md.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from demo import documents
from demo.api import Api
from demo.failure import DemoFailed
from demo.mailbox import Mail, Mailbox

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "confirmation_to_mail.md"
TARGET_MS = 150
TRIPS = """
query Trips($after: Date!) {
  trips(first: 20) {
    edges { node { departures(departsAfter: $after, onlyAvailable: true, first: 5) { edges { node { id seatsAvailable } } } } }
  }
}
"""
HISTORY = "query History($reference: String!) { booking(reference: $reference) { status history { type status at } } }"


def signed_in(api: Api, mailbox: Mailbox) -> str:
    """Register, verify and sign in a new traveller. Return the address."""
    email, password = f"bench.{token_hex(4)}@demo.example", f"Confirmation-{token_hex(8)}"
    details = {
        "email": email,
        "password": password,
        "firstName": "Ada",
        "lastName": "Byron",
        "locale": "EN",
        "acceptTerms": True,
    }
    api.call(documents.REGISTER, {"input": details})
    link = mailbox.wait(email, "the verification mail", lambda mail: mail.token() is not None)
    api.call(documents.VERIFY, {"token": link.token()})
    tokens = api.call(documents.LOGIN, {"email": email, "password": password})
    api.access_token, api.refresh_token = tokens["accessToken"], tokens["refreshToken"]
    return email


def departures(api: Api) -> list[str]:
    """Return the ids of departures with at least ten free seats, months ahead."""
    after = (datetime.now(UTC).date() + timedelta(days=120)).isoformat()
    trips = api.call(TRIPS, {"after": after})["edges"]
    nodes = [edge["node"] for trip in trips for edge in trip["node"]["departures"]["edges"]]
    return [node["id"] for node in nodes if (node["seatsAvailable"] or 0) >= 10]


def confirmation(api: Api, reference: str) -> dict[str, Any]:
    """Wait until the booking is confirmed. Return that history entry. Raises DemoFailed after 60 s."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        events = api.call(HISTORY, {"reference": reference})["history"]
        if confirmed := next((event for event in events if event["status"] == "CONFIRMED"), None):
            return dict(confirmed)
        time.sleep(0.05)
    raise DemoFailed(f"{reference} was not confirmed within 60 s")


def booked_to_mailed(api: Api, mailbox: Mailbox, email: str, departure: str) -> float:
    """Book and pay one seat, wait for the mail, then cancel. Return the seconds from the confirmation to the mail."""
    quoted = api.call(documents.QUOTE, {"departure": departure, "adults": 1, "children": 0, "currency": "EUR"})["quote"]
    passengers = [{"firstName": "Ada", "lastName": "Byron", "kind": "ADULT"}]
    details = {"quote": quoted["id"], "passengers": passengers, "idempotencyKey": token_hex(12)}
    reference = api.call(documents.BOOK, {"input": details})["booking"]["reference"]
    api.call(
        documents.PAY, {"input": {"reference": reference, "paymentMethod": "pm_ok", "idempotencyKey": token_hex(12)}}
    )

    def confirms(mail: Mail) -> bool:
        return mail.calendar_method() == "REQUEST" and reference in mail.subject + mail.text

    mail = mailbox.wait(email, "the confirmation mail", confirms)
    confirmed = confirmation(api, reference)
    offer = api.call(documents.QUOTE_CANCELLATION, {"reference": reference})["cancellationQuote"]
    api.call(documents.CANCEL, {"quote": offer["id"]})
    return mail.arrived - datetime.fromisoformat(confirmed["at"]).timestamp()


def report(milliseconds: list[float]) -> str:
    """Return the figures as a Markdown document."""
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
    return (
        "# From a confirmation's commit to its mail\n\n"
        "| bookings | p50 | p95 | least | most | target of p50 |\n| --- | --- | --- | --- | --- | --- |\n"
        f"| {len(ordered)} | {statistics.median(ordered):.0f} ms | {p95:.0f} ms "
        f"| {ordered[0]:.0f} ms | {ordered[-1]:.0f} ms | {TARGET_MS} ms |\n\n"
        f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end. One booking at a time, invoice and calendar "
        "included; embedded infrastructure on the same machine. Made by `benchmarks/confirmation_to_mail.py`.\n"
    )


def main() -> int:
    """Measure, print, and write the result. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bookings", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between one booking and the next")
    options = parser.parse_args()
    if options.bookings < 1 or options.pause < 0:
        parser.error("--bookings must be at least 1 and --pause not negative")
    var = Path(os.environ.get("TRAVEL_VAR") or ROOT / "var")
    gateway = f"http://localhost:{8000 + int(os.environ.get('PORT_OFFSET') or 0)}"
    mailbox = Mailbox(var / "mail")
    with Api(gateway, notice=lambda text: print(text, file=sys.stderr)) as api:
        try:
            email, many = signed_in(api, mailbox), departures(api)
            if not many:
                raise DemoFailed("no departure months ahead has ten seats")
            booked_to_mailed(
                api, mailbox, email, many[0]
            )  # not measured: the first booking opens connections and warms caches
            taken = []
            for n in range(options.bookings):
                time.sleep(options.pause)
                taken.append(booked_to_mailed(api, mailbox, email, many[n % len(many)]) * 1000)
                print(f"{n + 1:>3}  {taken[-1]:.0f} ms", file=sys.stderr)
        except DemoFailed as failure:
            print(f"confirmation_to_mail: {failure}", file=sys.stderr)
            return 1
    text = report(taken)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
