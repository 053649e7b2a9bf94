"""The demo, step by step: each step calls a public interface and checks the result."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from time import monotonic, perf_counter, sleep
from typing import Any, Final
from zoneinfo import ZoneInfo

from demo import documents
from demo.api import PATIENCE_SECONDS, Api
from demo.failure import DemoFailed
from demo.live import LiveBooking, Update
from demo.mailbox import Mail, Mailbox
from demo.narration import Narrator, duration

CITY: Final = "kyoto"
TRIP: Final = "kyoto-temples-and-tea-houses"
CURRENCY: Final = "EUR"
MONTHS_AHEAD: Final = timedelta(days=120)
ADULTS: Final = 2
CHILDREN: Final = 1
SEATS: Final = ADULTS + CHILDREN


@dataclass(slots=True)
class Journey:
    """One traveller's booking, from the registration to the refund.

    `results` are the files and addresses to look at afterwards.
    """

    api: Api
    mailbox: Mailbox
    narrator: Narrator
    output: Path
    results: dict[str, str] = field(default_factory=dict)
    email: str = field(default_factory=lambda: f"ada.{token_hex(4)}@demo.example")
    password: str = field(default_factory=lambda: f"Kyoto-in-spring-{token_hex(6)}")
    run: str = field(default_factory=lambda: token_hex(8))

    def play(self) -> None:
        """Play all steps. Raises DemoFailed at the first unexpected result."""
        self.narrator.heading(
            "One traveller, one trip",
            "Ada registers, books a family trip to Kyoto, pays, follows the booking live, and cancels it.\n"
            "Each step uses only public interfaces: GraphQL, WebSocket, and her mailbox.",
        )
        self.register()
        self.verify()
        self.sign_in()
        self.look_up_the_place()
        departure = self.look_up_the_trip()
        quote = self.ask_the_price(departure)
        booking = self.book(quote, departure)
        with self.follow(booking) as live:
            self.pay(booking, live)
            self.read_the_confirmation(booking, live)
            self.cancel(booking, live)
        self.count_the_seats(departure)
        self.read_the_cancellation(booking)
        self.look_back()

    def register(self) -> None:
        with self.narrator.step("Register"):
            details = {
                "email": self.email,
                "password": self.password,
                "firstName": "Ada",
                "lastName": "Byron",
                "locale": "EN",
                "acceptTerms": True,
            }
            self.api.call(documents.REGISTER, {"input": details})
            self.narrator.fact("address", self.email)

    def verify(self) -> None:
        with self.narrator.step("Open the mailed link"):
            mail = self.mailbox.wait(self.email, "the verification mail", lambda mail: mail.token() is not None)
            self.narrator.fact("mail", mail.subject)
            self.narrator.fact("file", mail.path)
            try:
                self.api.call(documents.VERIFY, {"token": mail.token()})
            except DemoFailed as refused:
                # The link may have worked although its answer was lost. The sign-in shows whether it did.
                if "TOKEN_INVALID" not in str(refused):
                    raise

    def sign_in(self) -> None:
        with self.narrator.step("Sign in"):
            tokens = self.api.call(documents.LOGIN, {"email": self.email, "password": self.password})
            self.api.access_token, self.api.refresh_token = tokens["accessToken"], tokens["refreshToken"]
            me = self.api.call(documents.ME, needs="profile")
            if not me["emailVerified"]:
                raise DemoFailed("the address is still not verified")
            self.narrator.fact("signed in as", f"{me['profile']['firstName']} <{me['email']}>, address verified")
            self.narrator.fact("access token", f"for {tokens['expiresIn']} s")

    def look_up_the_place(self) -> None:
        with self.narrator.step("Look up a place"):
            place = self.api.call(documents.DESTINATION, {"slug": CITY, "currency": CURRENCY}, needs="name")
            above = ", ".join(ancestor["name"] for ancestor in reversed(place["ancestors"]))
            self.narrator.fact("place", f"{place['name']}, {above}: {place['summary']}")
            self.narrator.fact("worth seeing", ", ".join(edge["node"]["name"] for edge in place["children"]["edges"]))
            if day := next((price for price in place["averagePrices"] if price["category"] == "DAY_MIDRANGE"), None):
                shown = shown_with(day["price"], day["converted"])
                self.narrator.fact(
                    "a day costs", f"about {shown} ({day['source'].split(':')[0].lower()}, {day['asOf']})"
                )
            if place["photos"]:
                self.results["Photo of " + place["name"]] = place["photos"][0]["url"]

    def look_up_the_trip(self) -> dict[str, Any]:
        """Return a departure some months ahead with enough free seats."""
        with self.narrator.step("Choose a trip"):
            after = datetime.now(UTC).date() + MONTHS_AHEAD
            variables = {"slug": TRIP, "after": after.isoformat()}
            trip = self.api.call(documents.TRIP, variables, needs="departures.edges.0.node.seatsAvailable")
            nodes = [edge["node"] for edge in trip["departures"]["edges"]]
            departure: dict[str, Any] | None = next(
                (node for node in nodes if (node["seatsAvailable"] or 0) >= SEATS), None
            )
            if departure is None:
                raise DemoFailed(f"no departure of {TRIP} after {after} has {SEATS} seats")
            self.narrator.fact("trip", f"{trip['title']} ({trip['durationDays']} days)")
            self.narrator.fact("en français", trip["french"])
            self.narrator.fact("departs", local_time(departure["startsAt"], departure["timeZone"]))
            self.narrator.fact("adult, child", f"{money(departure['adultPrice'])}, {money(departure['childPrice'])}")
            self.narrator.fact("seats", f"{departure['seatsAvailable']} of {departure['capacity']} free")
            policy = ", ".join(
                f"{rule['refundPercent']} % until {rule['daysBefore']} days before"
                for rule in trip["cancellationPolicy"]
            )
            self.narrator.fact("refunds", policy)
            return departure

    def ask_the_price(self, departure: dict[str, Any]) -> dict[str, Any]:
        with self.narrator.step("Ask for a binding price"):
            variables = {"departure": departure["id"], "adults": ADULTS, "children": CHILDREN, "currency": CURRENCY}
            quote: dict[str, Any] = self.api.call(documents.QUOTE, variables)["quote"]
            for price in quote["lines"]:
                self.narrator.fact(
                    f"{price['quantity']} x",
                    f"{price['label']}: {money(price['unitPrice'])} each, {money(price['total'])}",
                )
            self.narrator.fact("total", shown_with(quote["total"], quote["convertedTotal"]))
            self.narrator.fact("valid until", clock(quote["expiresAt"]))
            return quote

    def book(self, quote: dict[str, Any], departure: dict[str, Any]) -> dict[str, Any]:
        with self.narrator.step("Book: the seats are held"):
            born = datetime.fromisoformat(departure["startsAt"]).date() - timedelta(days=8 * 365)
            passengers = [
                {"firstName": "Ada", "lastName": "Byron", "kind": "ADULT"},
                {"firstName": "Charles", "lastName": "Babbage", "kind": "ADULT"},
                {"firstName": "Anne", "lastName": "Byron", "kind": "CHILD", "dateOfBirth": born.isoformat()},
            ]
            details = {"quote": quote["id"], "passengers": passengers, "idempotencyKey": f"demo-book-{self.run}"}
            booking: dict[str, Any] = self.api.call(documents.BOOK, {"input": details})["booking"]
            if booking["status"] != "PENDING":
                raise DemoFailed(f"the booking is {booking['status']}, not PENDING")
            self.narrator.fact("reference", booking["reference"])
            self.narrator.fact(
                "status", f"{booking['status']}, the seats are held until {clock(booking['holdExpiresAt'])}"
            )
            self.expect_seats(departure, departure["seatsAvailable"] - SEATS, "held")
            return booking

    def follow(self, booking: dict[str, Any]) -> LiveBooking:
        """Return the live status of the booking, from its first event on."""
        return LiveBooking(
            gateway_url=self.api.gateway_url,
            token=lambda: self.api.access_token,
            renew=self.api.renew,
            reference=booking["reference"],
            after=0,
            on_update=self.show_update,
            notice=self.narrator.notice,
        )

    def show_update(self, update: Update) -> None:
        """Print one update."""
        late = f"{max(update.received - update.at.timestamp(), 0) * 1000:.0f} ms after"
        self.narrator.live(f"{update.sequence}  {update.type:<22} {update.status:<10} {update.message}  ({late})")

    def pay(self, booking: dict[str, Any], live: LiveBooking) -> None:
        with self.narrator.step("Pay, and watch the status change"):
            live.wait("the booking's creation", lambda update: update.type == "booking.created")
            details = {
                "reference": booking["reference"],
                "paymentMethod": "pm_ok",
                "idempotencyKey": f"demo-pay-{self.run}",
            }
            payment = self.api.call(documents.PAY, {"input": details})["payment"]
            if payment["status"] == "FAILED":
                raise DemoFailed(f"the payment failed: {payment['failureCode']}")
            self.narrator.fact("payment", f"{payment['status']} at {payment['provider']}")
            live.wait("the confirmation", lambda update: update.status == "CONFIRMED")

    def read_the_confirmation(self, booking: dict[str, Any], live: LiveBooking) -> None:
        reference = booking["reference"]
        with self.narrator.step("Read the confirmation mail"):
            confirmed = live.wait("the confirmation", lambda update: update.status == "CONFIRMED")
            mail = self.mailbox.wait(
                self.email,
                "the confirmation mail",
                lambda mail: reference in mail.subject + mail.text and mail.calendar_method() == "REQUEST",
            )
            self.narrator.fact("mail", mail.subject)
            self.narrator.fact(
                "from commit", f"{duration(max(mail.arrived - confirmed.at.timestamp(), 0))} after the confirmation"
            )
            invoice = mail.attached("application/pdf")
            if invoice is None or not invoice.content.startswith(b"%PDF"):
                raise DemoFailed("the confirmation mail has no invoice")
            self.keep(mail, reference, "Confirmation mail")

    def cancel(self, booking: dict[str, Any], live: LiveBooking) -> None:
        with self.narrator.step("Ask what a cancellation refunds, then cancel"):
            asked = {"reference": booking["reference"]}
            offer = self.api.call(documents.QUOTE_CANCELLATION, asked)["cancellationQuote"]
            self.narrator.fact(
                "refund", f"{money(offer['refund'])} of {money(booking['total'])}; kept: {money(offer['kept'])}"
            )
            for reason in offer["explanation"]:
                self.narrator.fact("because", reason)
            cancelled = self.api.call(documents.CANCEL, {"quote": offer["id"]})["booking"]
            self.narrator.fact("status", f"{cancelled['status']}, {cancelled['reason']}")
            live.wait("the cancellation", lambda update: update.type == "booking.cancelled")
            live.wait("the refund", lambda update: update.type == "refund.succeeded")

    def count_the_seats(self, departure: dict[str, Any]) -> None:
        with self.narrator.step("Count the seats"):
            self.expect_seats(departure, departure["seatsAvailable"], "given back")

    def read_the_cancellation(self, booking: dict[str, Any]) -> None:
        reference = booking["reference"]
        with self.narrator.step("Read the cancellation mail and the credit note"):
            mail = self.mailbox.wait(
                self.email,
                "the cancellation mail",
                lambda mail: reference in mail.subject + mail.text and mail.calendar_method() == "CANCEL",
            )
            self.narrator.fact("mail", mail.subject)
            self.keep(mail, reference, "Cancellation mail")
            invoiced = {
                file.content
                for other in self.mailbox.mails(self.email)
                if other.calendar_method() == "REQUEST"
                for file in other.attachments
            }
            note = self.mailbox.wait(self.email, "the credit note", lambda mail: credit_note(mail, reference, invoiced))
            self.narrator.fact("mail", note.subject)
            self.keep(note, reference, "Refund mail")

    def look_back(self) -> None:
        with self.narrator.step("Ask five services in one query"):
            started = perf_counter()
            me = self.api.call(documents.OVERVIEW, needs="bookings.edges.0.node.invoice.number")
            took = perf_counter() - started
            booking = me["bookings"]["edges"][0]["node"]
            trip = booking["departure"]["trip"] if booking["departure"] else {"title": booking["title"]}
            self.narrator.fact(
                "booking", f"{booking['reference']}  {booking['status']}, {booking['reason']}: {trip['title']}"
            )
            self.narrator.fact("paid, refunded", f"{money(booking['paid'])}, {money(booking['refunded'])}")
            if Decimal(booking["refunded"]["amount"]) <= 0:
                raise DemoFailed("nothing was refunded")
            self.narrator.fact("invoice", booking["invoice"]["number"])
            self.narrator.fact(
                "credit notes", ", ".join(note["number"] for note in booking["creditNotes"] or []) or "none yet"
            )
            self.narrator.fact("history", " → ".join(event["type"] for event in booking["history"]))
            sent = [edge["node"] for edge in (me["notifications"] or {"edges": []})["edges"]]
            self.narrator.fact(
                "notified", ", ".join(f"{note['template']} by {note['channel'].lower()}" for note in reversed(sent))
            )
            self.narrator.fact("answered in", duration(took))
            self.results["Invoice by signed link"] = booking["invoice"]["pdfUrl"]

    def expect_seats(self, departure: dict[str, Any], wanted: int, word: str) -> None:
        """Wait until the departure has `wanted` free seats.

        Other travellers may book too, so another count can also pass.
        """
        until = monotonic() + PATIENCE_SECONDS
        while True:
            free = self.api.call(documents.SEATS, {"id": departure["id"]}, needs="seatsAvailable")["seatsAvailable"]
            if free == wanted or (word == "given back" and free > departure["seatsAvailable"] - SEATS):
                self.narrator.fact("seats", f"{SEATS} {word}: {free} of {departure['capacity']} free")
                return
            if word == "held" and free < departure["seatsAvailable"]:
                self.narrator.fact("seats", f"{free} of {departure['capacity']} free: other travellers book too")
                return
            if monotonic() > until:
                raise DemoFailed(f"{free} seats are free, not {wanted}")
            sleep(0.2)

    def keep(self, mail: Mail, reference: str, title: str) -> None:
        """Save the mail's attachments, and print their names."""
        folder = self.output / reference
        folder.mkdir(parents=True, exist_ok=True)
        self.results[title] = str(mail.path)
        for file in mail.attachments:
            method = mail.calendar_method() if file.is_calendar else None
            saved = folder / file.name
            if method == "CANCEL":  # the calendar of the confirmation has the same name
                saved = saved.with_stem(f"{saved.stem}-cancelled")
            saved.write_bytes(file.content)
            self.narrator.fact(
                "attached", f"{file.name}  {len(file.content):,} bytes{f', METHOD:{method}' if method else ''}"
            )
            self.results[f"  {saved.name}"] = str(saved)
        if mail.html:
            page = folder / f"{title.lower().replace(' ', '-')}.html"
            page.write_text(mail.html, encoding="utf-8")
            self.results[f"  {page.name}"] = str(page)


def credit_note(mail: Mail, reference: str, invoices: set[bytes]) -> bool:
    """Return whether this mail about the booking has a PDF that is not one of its invoices."""
    document = mail.attached("application/pdf")
    return document is not None and document.content not in invoices and reference in mail.subject + mail.text


def money(value: dict[str, str]) -> str:
    """Return an amount as text: `EUR 1,240.50`, or `EUR 1,240` without cents."""
    amount = Decimal(value["amount"])
    whole = amount == amount.to_integral()
    return f"{value['currency']} {amount:,.0f}" if whole else f"{value['currency']} {amount:,.2f}"


def shown_with(price: dict[str, str], converted: dict[str, str] | None) -> str:
    """Return a price, followed by the same price in the traveller's currency."""
    return f"{money(price)} (≈ {money(converted)})" if converted else money(price)


def local_time(instant: str, zone: str) -> str:
    """Return an instant in the time zone of the destination."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).strftime(f"%a %d %b %Y, %H:%M ({zone})")


def clock(instant: str) -> str:
    """Return an instant as a time of day in UTC."""
    return datetime.fromisoformat(instant).astimezone(UTC).strftime("%H:%M:%S UTC")
