"""`demo --full`: what bookings withstand. A decline, 3-D Secure, a traveller who stays home, a full departure, a cancelled one."""

from collections.abc import Callable
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
class Full:
    """Five acts. Seats of the catalogue's departures are given back; the departure that is cancelled was made for it."""

    gateway_url: str
    mailbox: Mailbox
    narrator: Narrator
    staff: Staff
    people: list[Person] = field(default_factory=list)

    def play(self) -> None:
        """Play all of it. Raises DemoFailed at the first thing that does not happen as it should."""
        self.narrator.opening(
            "What can go wrong on the way to a trip",
            "A card is declined, a bank asks questions, somebody stays home, a departure is full, another one is cancelled.",
        )
        with self.narrator.step("Ada and Ben arrive"):
            ada, ben = self.arrives("Ada"), self.arrives("Ben")
            roomy, small = self.departures(ada)
            for who in (ada, ben):
                self.narrator.fact(who.name, who.email)
            self.narrator.fact("staff", f"scheduled a departure with {FEW} seats for them in the catalogue's admin")
        self.declined(ada, roomy)
        self.asked_by_the_bank(ada, roomy)
        self.some_stay_home(ada, roomy)
        self.full(ada, ben, small)
        self.not_leaving(ada, ben, small)

    def arrives(self, name: str) -> Person:
        person = Person.arrive(name, gateway_url=self.gateway_url, mailbox=self.mailbox, narrator=self.narrator)
        self.people.append(person)
        return person

    def departures(self, who: Person) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a departure with many seats, and a new one with a few that bookings can be made of. Raises DemoFailed."""
        after = (datetime.now(UTC).date() + FULL_AFTER).isoformat()
        trips = [edge["node"] for edge in who.api.call(documents.TRIPS_WITH_DEPARTURES, {"after": after})["edges"]]
        found = [edge["node"] for trip in trips for edge in trip["departures"]["edges"]]
        roomy = next((one for one in found if (one["seatsAvailable"] or 0) >= MANY), None)
        if roomy is None:
            raise DemoFailed(f"the catalogue has no departure left with {MANY} seats")
        made = self.staff.schedule(trips[0]["id"], seats=FEW)
        small = who.waits(
            lambda: who.api.call(documents.DEPARTURE, {"id": made}),
            lambda one: one is not None and one["seatsAvailable"] == FEW,
            "no seats of the new departure came on sale",
        )
        return roomy, small

    def declined(self, ada: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("A card is declined, the next one is not"):
            booking = ada.book(departure["id"], adults=1)
            payment = ada.pay(booking, "pm_declined")
            self.expect(payment["status"] == "FAILED", f"the payment is {payment['status']}, not FAILED")
            self.narrator.fact("first card", f"{payment['status']}: {payment['failureCode']}; the seat is still held")
            self.narrator.fact("second card", ada.pay(booking)["status"])
            self.narrator.fact("booking", ada.sees(booking, "CONFIRMED")["status"])
            ada.cancel(booking)

    def asked_by_the_bank(self, ada: Person, departure: dict[str, Any]) -> None:
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
            self.narrator.fact("booking", f"{ada.sees(booking, 'CONFIRMED')['status']}, told by the provider's webhook")
            ada.cancel(booking)

    def some_stay_home(self, ada: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("One of three stays home"):
            booking = ada.buy(departure["id"], adults=3)
            offer = ada.cancel(booking, booking["passengers"][0]["id"])
            for line in offer["explanation"]:
                self.narrator.fact("because", line)
            left = ada.sees(booking, "PASSENGERS_CANCELLED", until="reason")
            travelling = sum(not one["cancelled"] for one in left["passengers"])
            self.narrator.fact("booking", f"{left['status']}: {travelling} of {len(left['passengers'])} travel")
            noted = ada.waits(
                lambda: ada.api.call(documents.BOOKING, {"reference": booking["reference"]}, needs="creditNotes.0.number"),
                lambda found: bool(found["creditNotes"]), "no credit note was issued",
            )  # fmt: skip
            self.narrator.fact(
                "credit note", f"{noted['creditNotes'][0]['number']}, {money(noted['refunded'])} went back"
            )
            ada.cancel(booking)

    def full(self, ada: Person, ben: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("A full departure, and the line for it"):
            self.narrator.fact(
                "trip", f"{departure['trip']['title']}, {local_time(departure['startsAt'], departure['timeZone'])}"
            )
            booking = ada.buy(departure["id"], adults=departure["capacity"])
            self.narrator.fact("Ada", f"takes all {departure['capacity']} seats")
            entry = ben.api.call(documents.JOIN, {"departure": departure["id"], "seats": 2})["entry"]
            self.narrator.fact("Ben", f"{entry['status']} for 2 seats, number {entry['position']} in line")
            ada.cancel(booking)
            self.narrator.fact("Ada", "changes her mind")
            offered = ben.waits(
                lambda: ben.api.call(documents.LINE)["waitlist"][0], lambda found: found["status"] == "OFFERED", "Ben got no offer"
            )  # fmt: skip
            self.narrator.fact("Ben", f"{offered['status']} until {offered['offeredUntil']}")
            mail = ben.mail("the mail about the offer", lambda found: "come free" in found.subject)
            self.narrator.fact("mail", mail.subject)
            taken = ben.book(departure["id"], adults=2, entry=entry["id"])
            ben.pay(taken)
            self.narrator.fact("Ben", f"{ben.sees(taken, 'CONFIRMED')['status']}: {taken['reference']}")
            ben.cancel(taken)

    def not_leaving(self, ada: Person, ben: Person, departure: dict[str, Any]) -> None:
        with self.narrator.step("Staff cancel a departure: everybody is told, and refunded in full"):
            self.narrator.fact(
                "trip", f"{departure['trip']['title']}, {local_time(departure['startsAt'], departure['timeZone'])}"
            )
            bookings = [(who, who.buy(departure["id"], adults=2)) for who in (ada, ben)]
            with Api(self.gateway_url, notice=self.narrator.notice) as office:
                self.staff.cancel(departure["id"], api=office)
            self.narrator.fact("staff", "cancelled it in the catalogue")
            for who, booking in bookings:
                gone = who.sees(booking, "DEPARTURE_CANCELLED", until="reason")
                back = self.all_of_it_back(who, gone)
                mail = self.told(who, gone["reference"])
                self.narrator.fact(
                    who.name,
                    f"{gone['status']}, {money(back['refunded'])} of {money(back['paid'])} back: “{mail.subject}”",
                )

    def all_of_it_back(self, who: Person, booking: dict[str, Any]) -> Any:
        look: Callable[[], Any] = lambda: who.api.call(documents.BOOKING, {"reference": booking["reference"]})  # noqa: E731
        return who.waits(look, lambda found: found["refunded"] == found["paid"], "the refund did not arrive")

    @staticmethod
    def told(who: Person, reference: str) -> Mail:
        """Return the mail that says that the trip will not take place."""
        return who.mail(
            "the mail about the departure", lambda mail: reference in mail.subject and "not take place" in mail.subject
        )

    @staticmethod
    def expect(is_so: bool, otherwise: str) -> None:
        if not is_so:
            raise DemoFailed(otherwise)
