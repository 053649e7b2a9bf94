"""`demo --full`: what can go wrong.

A declined card, 3-D Secure, a cancelled passenger, a full departure, a cancelled departure.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from demo import documents
from demo.api import Api
from demo.failure import DemoFailed
from demo.journey import local_time, money
from demo.mailbox import Mail, Mailbox
from demo.narration import Narrator
from demo.people import Person
from demo.staff import Staff

FULL_AFTER: Final = timedelta(days=90)
MANY: Final = 20
FEW: Final = 4


@dataclass(slots=True)
class FullDemo:
    """Five scenes. Each gives its seats back. The departure that is cancelled was made for the demo."""

    gateway_url: str
    mailbox: Mailbox
    narrator: Narrator
    staff: Staff
    people: list[Person] = field(default_factory=list)

    def play(self) -> None:
        """Play all scenes. Raises DemoFailed at the first unexpected result."""
        self.narrator.heading(
            "What can go wrong on the way to a trip",
            "A card is declined, a bank asks first, a passenger stays at home, a departure is full,"
            " and staff cancel it.",
        )
        with self.narrator.step("Ada and Ben register and sign in"):
            ada, ben = self.sign_up("Ada"), self.sign_up("Ben")
            large, small = self.departures(ada)
            for person in (ada, ben):
                self.narrator.fact(person.name, person.email)
            self.narrator.fact("staff", f"scheduled a departure with {FEW} seats in the admin of the catalogue")
        self.declined_card(ada, large)
        self.three_d_secure(ada, large)
        self.cancel_one_passenger(ada, large)
        self.full_departure(ada, ben, small)
        self.cancelled_departure(ada, ben, small)

    def sign_up(self, name: str) -> Person:
        person = Person.sign_up(name, gateway_url=self.gateway_url, mailbox=self.mailbox, narrator=self.narrator)
        self.people.append(person)
        return person

    def departures(self, person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a departure with many free seats, and a new one with a few, which can be booked. Raises DemoFailed."""
        after = (datetime.now(UTC).date() + FULL_AFTER).isoformat()
        trips = [edge["node"] for edge in person.api.call(documents.TRIPS_WITH_DEPARTURES, {"after": after})["edges"]]
        departures = [edge["node"] for trip in trips for edge in trip["departures"]["edges"]]
        large = next((departure for departure in departures if (departure["seatsAvailable"] or 0) >= MANY), None)
        if large is None:
            raise DemoFailed(f"no departure of the catalogue has {MANY} free seats")
        scheduled = self.staff.schedule(trips[0]["id"], days=trips[0]["durationDays"], seats=FEW)
        small = person.wait_until(
            lambda: person.api.call(documents.DEPARTURE, {"id": scheduled}),
            lambda departure: departure is not None and departure["seatsAvailable"] == FEW,
            "no seats of the new departure came on sale",
        )
        return large, small

    def declined_card(self, ada: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("A card is declined, the next card is accepted"):
            booking = ada.book(departure["id"], adults=1)
            payment = ada.pay(booking, "pm_declined")
            self.expect(payment["status"] == "FAILED", f"the payment is {payment['status']}, not FAILED")
            self.narrator.fact("first card", f"{payment['status']}: {payment['failureCode']}; the seat is still held")
            self.narrator.fact("second card", ada.pay(booking)["status"])
            self.narrator.fact("booking", ada.wait_for_booking(booking, "CONFIRMED")["status"])
            ada.cancel(booking)

    def three_d_secure(self, ada: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("3-D Secure: the bank asks first"):
            booking = ada.book(departure["id"], adults=1)
            payment = ada.pay(booking, "pm_action")
            action = payment["nextAction"] or {}
            self.expect(
                payment["status"] == "REQUIRES_ACTION", f"the payment is {payment['status']}, not REQUIRES_ACTION"
            )
            self.narrator.fact("payment", f"{payment['status']}: {action['redirectUrl']}")
            answer = httpx.post(action["redirectUrl"], data={"decision": "approve"}, timeout=10, trust_env=False)
            self.expect(answer.is_success, f"the bank's page answered {answer.status_code}")
            self.narrator.fact("at the bank", "approved")
            self.narrator.fact(
                "booking", f"{ada.wait_for_booking(booking, 'CONFIRMED')['status']}, after the provider's webhook"
            )
            ada.cancel(booking)

    def cancel_one_passenger(self, ada: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("One of three passengers stays at home"):
            booking = ada.buy(departure["id"], adults=3)
            offer = ada.cancel(booking, booking["passengers"][0]["id"])
            for reason in offer["explanation"]:
                self.narrator.fact("because", reason)
            changed = ada.wait_for_booking(booking, "PASSENGERS_CANCELLED", field="reason")
            travelling = sum(not passenger["cancelled"] for passenger in changed["passengers"])
            self.narrator.fact("booking", f"{changed['status']}: {travelling} of {len(changed['passengers'])} travel")
            credited = ada.wait_until(
                lambda: ada.api.call(
                    documents.BOOKING, {"reference": booking["reference"]}, needs="creditNotes.0.number"
                ),
                lambda seen: bool(seen["creditNotes"]), "no credit note was issued",
            )  # fmt: skip
            self.narrator.fact(
                "credit note", f"{credited['creditNotes'][0]['number']}, {money(credited['refunded'])} refunded"
            )
            ada.cancel(booking)

    def full_departure(self, ada: Person, ben: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("A full departure and its waiting list"):
            self.narrator.fact(
                "trip", f"{departure['trip']['title']}, {local_time(departure['startsAt'], departure['timeZone'])}"
            )
            booking = ada.buy(departure["id"], adults=departure["capacity"])
            self.narrator.fact("Ada", f"takes all {departure['capacity']} seats")
            entry = ben.api.call(documents.JOIN, {"departure": departure["id"], "seats": 2})["entry"]
            self.narrator.fact(
                "Ben", f"{entry['status']} for 2 seats, position {entry['position']} on the waiting list"
            )
            ada.cancel(booking)
            self.narrator.fact("Ada", "cancels her booking")
            offered = ben.wait_until(
                lambda: ben.api.call(documents.WAITLIST)["waitlist"][0],
                lambda entry: entry["status"] == "OFFERED",
                "Ben got no offer",
            )  # fmt: skip
            self.narrator.fact("Ben", f"{offered['status']} until {offered['offeredUntil']}")
            mail = ben.mail("the mail about the offer", lambda mail: "come free" in mail.subject)
            self.narrator.fact("mail", mail.subject)
            taken = ben.book(departure["id"], adults=2, entry=entry["id"])
            ben.pay(taken)
            self.narrator.fact("Ben", f"{ben.wait_for_booking(taken, 'CONFIRMED')['status']}: {taken['reference']}")
            ben.cancel(taken)

    def cancelled_departure(self, ada: Person, ben: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("Staff cancel a departure: each traveller gets a mail and a full refund"):
            self.narrator.fact(
                "trip", f"{departure['trip']['title']}, {local_time(departure['startsAt'], departure['timeZone'])}"
            )
            bookings = [(person, person.buy(departure["id"], adults=2)) for person in (ada, ben)]
            with Api(self.gateway_url, notice=self.narrator.notice) as office:
                self.staff.cancel(departure["id"], api=office)
            self.narrator.fact("staff", "cancelled the departure in the catalogue")
            for person, booking in bookings:
                cancelled = person.wait_for_booking(booking, "DEPARTURE_CANCELLED", field="reason")
                refunded = self.wait_for_full_refund(person, cancelled)
                mail = self.cancellation_mail(person, cancelled["reference"])
                amounts = f"{money(refunded['refunded'])} of {money(refunded['paid'])} refunded"
                self.narrator.fact(person.name, f"{cancelled['status']}, {amounts}: “{mail.subject}”")

    def wait_for_full_refund(self, person: Person, booking: dict[str, Any]) -> Any:
        return person.wait_until(
            lambda: person.api.call(documents.BOOKING, {"reference": booking["reference"]}),
            lambda seen: seen["refunded"] == seen["paid"],
            "the refund did not arrive",
        )

    @staticmethod
    def cancellation_mail(person: Person, reference: str) -> Mail:
        """Return the mail that says that the trip will not take place."""
        return person.mail(
            "the mail about the departure", lambda mail: reference in mail.subject and "not take place" in mail.subject
        )

    @staticmethod
    def expect(is_true: bool, otherwise: str) -> None:
        if not is_true:
            raise DemoFailed(otherwise)
