"""Travellers of the journeys: they register, verify their address, sign in and book."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.journeys import mails
from tests.journeys.api import Answer, Client, new_key
from tests.journeys.planted import Kind, new_name, new_password, plant

PASSENGERS = [
    {"firstName": "Ann", "lastName": plant(Kind.NAME, "Kanarismith"), "kind": "ADULT"},
    {"firstName": "Bob", "lastName": "Kanarismith", "kind": "ADULT"},
    {"firstName": "Cléo", "lastName": "Martin", "kind": "ADULT"},
    {"firstName": "Dan", "lastName": "O'Neill", "kind": "ADULT"},
]
BOOKING = """
  id reference status reason sequence holdExpiresAt
  total { amount currency } paid { amount currency } refunded { amount currency }
  passengers { id cancelled firstName lastName }
  payments { id status failureCode amount { amount currency } }
  refunds { id status amount { amount currency } }
  invoice { number kind pdfUrl total { amount currency } }
  creditNotes { number kind total { amount currency } }
  history { sequence type status }
"""
QUOTE = """mutation ($departure: ID!, $adults: Int!) { createQuote(departure: $departure, adults: $adults) {
  quote { id total { amount currency } expiresAt lines { label quantity total { amount currency } } }
  errors { code message field params } } }"""
CREATE = f"""mutation ($input: CreateBookingInput!) {{ createBooking(input: $input) {{
  booking {{ {BOOKING} }} errors {{ code message field params }} }} }}"""
PAY = f"""mutation ($input: PayBookingInput!) {{ payBooking(input: $input) {{
  payment {{ id status failureCode }} booking {{ {BOOKING} }} errors {{ code message field params }} }} }}"""
CANCELLATION = """mutation ($reference: String!) { quoteCancellation(reference: $reference) {
  cancellationQuote { id refund { amount currency } kept { amount currency } explanation expiresAt } errors { code message } } }"""
CANCEL = f"""mutation ($quote: ID!) {{ cancelBooking(cancellationQuote: $quote) {{
  booking {{ {BOOKING} }} errors {{ code message }} }} }}"""
READ = f"query ($reference: String!) {{ booking(reference: $reference) {{ {BOOKING} }} }}"


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure to book: its id, how many seats it had when it was looked up, when it leaves, and when it ends."""

    id: str
    seats: int
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass
class Traveller(Client):
    """A visitor who has an account."""

    email: str = ""
    password: str = ""
    last_name: str = ""
    refresh_token: str | None = None

    @classmethod
    def register(cls, *, first_name: str = "Ann", locale: str = "EN", verified: bool = True) -> "Traveller":
        """Register. If `verified`, follow the mailed link and sign in: the account exists only then."""
        address = f"{uuid.uuid4().hex[:12]}@journey.example"
        plant(Kind.ADDRESS, address)
        traveller = cls(email=address, password=new_password(), last_name=new_name())
        done = traveller.graphql(
            "mutation ($input: RegisterInput!) { register(input: $input) { ok errors { code message field } } }",
            input={
                "email": address,
                "password": traveller.password,
                "firstName": first_name,
                "lastName": traveller.last_name,
                "locale": locale,
                "acceptTerms": True,
            },
        ).field("register")
        assert done == {"ok": True, "errors": []}
        if verified:
            token = mails.token(mails.wait_for(address))
            verify = "mutation ($token: String!) { verifyEmail(token: $token) { ok errors { code } } }"
            assert traveller.graphql(verify, token=token).field("verifyEmail") == {"ok": True, "errors": []}
            traveller.sign_in()
        return traveller

    def sign_in(self) -> None:
        """Sign in with email and password, and keep the tokens."""
        tokens = self._log_in()
        assert tokens["errors"] == []
        self.token = plant(Kind.ACCESS_TOKEN, tokens["accessToken"])
        self.refresh_token = plant(Kind.REFRESH_TOKEN, tokens["refreshToken"])

    def sign_in_refusals(self) -> list[str]:
        """Return the codes with which a sign-in is refused."""
        return [error["code"] for error in self._log_in()["errors"]]

    def _log_in(self) -> Mapping[str, Any]:
        tokens: Mapping[str, Any] = self.graphql(
            """mutation ($email: String!, $password: String!) { login(email: $email, password: $password) {
               accessToken refreshToken expiresIn twoFactorRequired errors { code message } } }""",
            email=self.email,
            password=self.password,
        ).field("login")
        return tokens

    def quote(self, departure: Departure, *, adults: int = 2) -> Mapping[str, Any]:
        """Return a quote for `adults` seats."""
        payload: Mapping[str, Any] = self.graphql(QUOTE, departure=departure.id, adults=adults).field("createQuote")
        assert payload["errors"] == []
        quote: Mapping[str, Any] = payload["quote"]
        return quote

    def create(self, quote_id: str, *, adults: int = 2, key: str | None = None, **changed: Any) -> Answer:
        """Ask for a booking of a quote; the answer may be a refusal."""
        command = {"quote": quote_id, "passengers": PASSENGERS[:adults], "idempotencyKey": key or new_key(), **changed}
        return self.graphql(CREATE, input=command)

    def hold(self, departure: Departure, *, adults: int = 2) -> Mapping[str, Any]:
        """Return a new PENDING booking."""
        payload = self.create(self.quote(departure, adults=adults)["id"], adults=adults).field("createBooking")
        assert payload["errors"] == []
        booking: Mapping[str, Any] = payload["booking"]
        return booking

    def pay(self, reference: str, *, method: str = "pm_ok", key: str | None = None) -> Answer:
        """Ask to pay; the answer may be a refusal."""
        return self.graphql(
            PAY, input={"reference": reference, "paymentMethod": method, "idempotencyKey": key or new_key()}
        )

    def booking(self, reference: str) -> Any:
        """Return the booking as it is now, or None if this traveller has no such booking."""
        return self.graphql(READ, reference=reference).field("booking")

    def quote_cancellation(self, reference: str) -> Answer:
        """Ask what a cancellation would give back."""
        return self.graphql(CANCELLATION, reference=reference)

    def cancel(self, cancellation_quote: str) -> Answer:
        """Confirm a cancellation quote."""
        return self.graphql(CANCEL, quote=cancellation_quote)
