"""A traveller who asks again with the same keys until there is an answer, over REST or, as the gateway does, over gRPC."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

import grpc
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from shared.auth import credentials
from shared.auth.testing import mint_access_token
from shared.ids import uuid7
from shared.testing import eventually
from tests.faults.world import World

PATIENCE = 60  # s: what the platform promises
TIMEOUT = 10  # s: the longest that a request may take


class NoAnswer(Exception):
    """There was no answer, or the answer says to ask again."""


class Refused(Exception):
    """The service refused the request."""


class Client(Protocol):
    """One traveller's client of bookings_service.

    Each method raises NoAnswer if the traveller should ask again, or Refused.
    """

    def quote(self, departure_id: UUID) -> str: ...
    def book(self, quote_id: str, *, key: str) -> str: ...
    def pay(self, reference: str, *, method: str, key: str) -> None: ...
    def cancel(self, quote_id: str) -> None: ...
    def cancellation_quote(self, reference: str) -> str: ...
    def status(self, reference: str) -> str: ...


class Rest:
    """A client of bookings.web."""

    def __init__(self, world: World, traveller_id: UUID) -> None:
        self._base = f"http://{world.url('bookings.web')}/api/v1"
        self._headers = {"Authorization": f"Bearer {mint_access_token(traveller_id)}"}

    def quote(self, departure_id: UUID) -> str:
        return str(self._ask("POST", "/quotes/", {"departure_id": str(departure_id), "adults": 2})["id"])

    def book(self, quote_id: str, *, key: str) -> str:
        adult = {"first_name": "Ann", "last_name": "Lindqvist", "kind": "ADULT"}
        body = {"quote_id": quote_id, "passengers": [adult, adult]}
        return str(self._ask("POST", "/bookings/", body, key=key)["reference"])

    def pay(self, reference: str, *, method: str, key: str) -> None:
        self._ask("POST", f"/bookings/{reference}/payments/", {"payment_method": method}, key=key)

    def cancellation_quote(self, reference: str) -> str:
        return str(self._ask("POST", f"/bookings/{reference}/cancellation-quotes/", {"passengers": []})["id"])

    def cancel(self, quote_id: str) -> None:
        self._ask("POST", f"/cancellation-quotes/{quote_id}/confirm/")

    def status(self, reference: str) -> str:
        return str(self._ask("GET", f"/bookings/{reference}/")["status"])

    def _ask(self, verb: str, path: str, body: Any = None, *, key: str = "") -> Any:
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        try:
            with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
                answer = client.request(verb, self._base + path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise NoAnswer from error
        if answer.status_code >= 500 or answer.json().get("code") == "IDEMPOTENCY_KEY_IN_FLIGHT":
            raise NoAnswer(answer.text)
        if answer.is_error:
            raise Refused(answer.text)
        return answer.json()


class Rpc:
    """A client of bookings.rpc that calls as the gateway does."""

    def __init__(self, world: World, traveller_id: UUID) -> None:
        self._address = world.url("bookings.rpc")
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(world.seed_of("gateway")))
        self._token = mint_access_token(traveller_id)

    def quote(self, departure_id: UUID) -> str:
        return str(self._ask("CreateQuote", departure_id=str(departure_id), adults=2).quote.id)

    def book(self, quote_id: str, *, key: str) -> str:
        adult = pb.PassengerInput(first_name="Ann", last_name="Lindqvist", kind=pb.PASSENGER_KIND_ADULT)
        answer = self._ask("CreateBooking", quote_id=quote_id, passengers=[adult, adult], idempotency_key=key)
        return str(answer.booking.reference)

    def pay(self, reference: str, *, method: str, key: str) -> None:
        self._ask("PayBooking", reference=reference, payment_method=method, idempotency_key=key)

    def cancellation_quote(self, reference: str) -> str:
        return str(self._ask("QuoteCancellation", reference=reference).cancellation_quote.id)

    def cancel(self, quote_id: str) -> None:
        self._ask("CancelBooking", cancellation_quote_id=quote_id)

    def status(self, reference: str) -> str:
        answer = self._ask("GetBooking", reference=reference)
        return pb.BookingStatus.Name(answer.booking.status).removeprefix("BOOKING_STATUS_")

    def _ask(self, method: str, **fields: Any) -> Any:
        metadata = [
            (
                "x-service-credential",
                credentials.sign(name="gateway", key=self._key, audience="bookings", now=time.time()),
            ),
            ("authorization", f"Bearer {self._token}"),
        ]
        own_connection = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._address, options=own_connection) as channel:
            ask = getattr(BookingsServiceStub(channel), method)
            try:
                return ask(getattr(pb, f"{method}Request")(**fields), metadata=metadata, timeout=TIMEOUT)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) or in_flight(error):
                    raise NoAnswer from error
                raise Refused(error.details()) from error


def in_flight(error: grpc.RpcError) -> bool:
    """Return whether the service says that the first request with the key has not ended yet."""
    return b"IDEMPOTENCY_KEY_IN_FLIGHT" in dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")


@dataclass
class Traveller:
    """A traveller who books once and pays once, however often they must ask."""

    client: Client
    id: UUID
    reference: str = ""
    keys: dict[str, str] = field(default_factory=lambda: {"book": str(uuid4()), "pay": str(uuid4())})

    @classmethod
    def using(cls, client: "Callable[[World, UUID], Client]", world: World) -> "Traveller":
        """Return a new traveller who calls with `client`."""
        traveller_id = uuid7()
        return cls(client(world, traveller_id), traveller_id)

    def books(self, departure_id: UUID) -> None:
        """Hold two seats."""
        quote_id = insist(lambda: self.client.quote(departure_id))
        self.reference = insist(lambda: self.client.book(quote_id, key=self.keys["book"]))

    def pays(self, method: str = "pm_ok") -> None:
        """Pay the booking."""
        insist(lambda: self.client.pay(self.reference, method=method, key=self.keys["pay"]))

    def cancels(self) -> None:
        """Wait until the booking is CONFIRMED, then cancel it."""
        self.sees("CONFIRMED")
        self.cancels_as_it_is()

    def cancels_as_it_is(self) -> None:
        """Quote a cancellation and confirm it, whatever the booking's status is."""
        quote_id = insist(lambda: self.client.cancellation_quote(self.reference))
        insist(lambda: self.client.cancel(quote_id))

    def sees(self, status: str) -> None:
        """Wait until the booking has this status."""
        eventually(lambda: insist(lambda: self.client.status(self.reference)) == status, PATIENCE, every=0.2)


def insist(ask: Callable[[], Any]) -> Any:
    """Ask until there is an answer. Raises Refused, and NoAnswer after 60 s."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except NoAnswer:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)
