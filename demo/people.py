"""The travellers of the full demo. Each registers, books, pays, and waits for the expected result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from time import monotonic, sleep
from typing import Any, Final, TypeVar

from demo import documents
from demo.api import PATIENCE_SECONDS, Api
from demo.failure import DemoFailed
from demo.mailbox import Mail, Mailbox
from demo.narration import Narrator

PAUSE_SECONDS: Final = 0.2
T = TypeVar("T")


@dataclass(slots=True)
class Person:
    """A traveller with an account of their own."""

    name: str
    api: Api
    mailbox: Mailbox
    email: str = ""
    password: str = field(default_factory=lambda: f"Trips-{token_hex(8)}")

    @classmethod
    def sign_up(cls, name: str, *, gateway_url: str, mailbox: Mailbox, narrator: Narrator) -> "Person":
        """Register, open the mailed link, sign in, and return the traveller. Raises DemoFailed."""
        person = cls(name, Api(gateway_url, notice=narrator.notice), mailbox)
        person.email = f"{name.lower()}.{token_hex(4)}@demo.example"
        details = {
            "email": person.email, "password": person.password, "firstName": name, "lastName": "Byron", "locale": "EN",
            "acceptTerms": True,
        }  # fmt: skip
        person.api.call(documents.REGISTER, {"input": details})
        token = person.mail("the verification mail", lambda mail: mail.token() is not None).token()
        person.api.call(documents.VERIFY, {"token": token})
        tokens = person.api.call(documents.LOGIN, {"email": person.email, "password": person.password})
        person.api.access_token, person.api.refresh_token = tokens["accessToken"], tokens["refreshToken"]
        return person

    def mail(self, what: str, wanted: Callable[[Mail], bool]) -> Mail:
        """Wait for a mail and return it. Raises DemoFailed."""
        return self.mailbox.wait(self.email, what, wanted)

    def book(self, departure: str, *, adults: int, entry: str | None = None) -> dict[str, Any]:
        """Ask for a quote and book it. With a waiting-list `entry`, the seats are those offered to it."""
        quote = self.api.call(
            documents.QUOTE_SEATS, {"departure": departure, "adults": adults, "entry": entry}
        )["quote"]  # fmt: skip
        names = ("Ada", "Charles", "Mary", "Grace", "Alan", "Joan", "Kurt", "Emmy")
        party = [{"firstName": names[n % 8], "lastName": "Byron", "kind": "ADULT"} for n in range(adults)]
        details = {"quote": quote["id"], "passengers": party, "idempotencyKey": token_hex(12)}
        booking: dict[str, Any] = self.api.call(documents.BOOK, {"input": details})["booking"]
        return booking

    def pay(self, booking: dict[str, Any], method: str = "pm_ok") -> dict[str, Any]:
        """Pay, and return the payment in the answer."""
        details = {"reference": booking["reference"], "paymentMethod": method, "idempotencyKey": token_hex(12)}
        payment: dict[str, Any] = self.api.call(documents.PAY_AND_ACT, {"input": details})["payment"]
        return payment

    def buy(self, departure: str, *, adults: int) -> dict[str, Any]:
        """Book, pay, and wait until the booking is confirmed."""
        booking = self.book(departure, adults=adults)
        self.pay(booking)
        return self.wait_for_booking(booking, "CONFIRMED")

    def cancel(self, booking: dict[str, Any], *passengers: str) -> dict[str, Any]:
        """Ask for a cancellation quote, cancel with it, and return the quote."""
        asked = {"reference": booking["reference"], "passengers": list(passengers) or None}
        quote: dict[str, Any] = self.api.call(documents.QUOTE_SOME, asked)["cancellationQuote"]
        self.api.call(documents.CANCEL, {"quote": quote["id"]})
        return quote

    def wait_for_booking(self, booking: dict[str, Any], value: str, *, field: str = "status") -> dict[str, Any]:
        """Return the booking when `field` has the value. Raises DemoFailed after a minute."""
        return self.wait_until(
            lambda: self.api.call(documents.BOOKING, {"reference": booking["reference"]}),
            lambda seen: seen[field] == value,
            f"the booking is not {value}",
        )

    @staticmethod
    def wait_until(look: Callable[[], T], wanted: Callable[[T], bool], otherwise: str) -> T:
        """Call `look` until `wanted` accepts its value, and return that.

        Raises DemoFailed, with `otherwise`, after a minute.
        """
        end = monotonic() + PATIENCE_SECONDS
        while not wanted(value := look()):
            if monotonic() > end:
                raise DemoFailed(otherwise)
            sleep(PAUSE_SECONDS)
        return value
