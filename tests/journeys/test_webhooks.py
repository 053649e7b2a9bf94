"""Webhooks: only a correctly signed webhook takes effect, once, and never if it contradicts our record."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from decimal import Decimal

import pytest

from shared.money import Money
from shared.testing import eventually
from tests.journeys.api import address

PATH = "/api/v1/payments/webhooks/sandbox/"


def uuid_of(node_id: str) -> str:
    """Return the raw id inside a global id."""
    return base64.b64decode(node_id).decode().partition(":")[2]


def event(payment, *, outcome="SUCCEEDED", event_id=None, **changed):
    """Return a webhook's body about a payment, as the provider writes it."""
    content = {
        "id": f"pay_{uuid.uuid4().hex}",
        "key": uuid_of(payment["id"]),
        "status": outcome,
        "amount": Money(Decimal(payment["amount"]["amount"]), payment["amount"]["currency"]).minor,
        "currency": payment["amount"]["currency"],
        "failure_code": "",
        **changed,
    }
    envelope = {
        "id": event_id or f"evt_{uuid.uuid4().hex}",
        "type": f"payment.{outcome.lower()}",
        "created": int(time.time()),
    }
    return json.dumps({**envelope, "payment": content}).encode()


def signed(body: bytes, *, at: float | None = None, secret: str | None = None) -> str:
    """Return the signature header for a body."""
    stamp = str(int(at or time.time()))
    key = (secret or address("PAYMENT_WEBHOOK_SECRET")).encode()
    return f"t={stamp},v1={hmac.new(key, f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


@pytest.fixture
def send(visitor):
    """Return a function that posts a body with a signature and returns the status."""

    def deliver(body: bytes, signature: str | bytes | None) -> int:
        headers = [("Content-Type", "application/json"), *([("X-Payment-Signature", signature)] if signature else [])]
        return visitor.http.post(PATH, content=body, headers=headers).status_code

    return deliver


@pytest.fixture
def open_payment(booker, departure):
    """A booking whose payment waits for the traveller, so that only a webhook settles it. Returns (reference, payment)."""
    reference = booker.hold(departure)["reference"]
    assert booker.pay(reference, method="pm_action").refusals("payBooking") == []
    [payment] = booker.booking(reference)["payments"]
    assert payment["status"] == "REQUIRES_ACTION"
    return reference, payment


def forged(body):
    """Return signatures that are not valid for this body now."""
    valid = signed(body)
    return {
        "none": None,
        "empty": "",
        "garbage": "t=,v1=",
        "wrong": valid[:-1] + ("0" if valid[-1] != "0" else "1"),
        "other secret": signed(body, secret="guess"),
        "six minutes old": signed(body, at=time.time() - 360),
        "six minutes ahead": signed(body, at=time.time() + 360),
        "of another body": signed(body + b" "),
        "no stamp": valid.partition(",")[2],
        "not ASCII": "t=1,v1=\u00e9".encode(),
    }


def test_an_invalid_signature_changes_nothing(booker, open_payment, send):
    reference, payment = open_payment
    before = booker.booking(reference)
    body = event(payment)

    answers = {name: send(body, signature) for name, signature in forged(body).items()}

    assert set(answers.values()) <= {400, 401}, answers
    assert booker.booking(reference) == before


def test_a_repeated_webhook_takes_effect_once(booker, open_payment, send, seats_free, departure):
    reference, payment = open_payment
    body = event(payment)

    assert [send(body, signed(body)) for _ in range(2)] == [204, 204]

    eventually(lambda: booker.booking(reference)["status"] == "CONFIRMED")
    after = booker.booking(reference)
    assert [entry["type"] for entry in after["history"]].count("booking.confirmed") == 1
    assert after["paid"] == after["total"]
    assert send(body, signed(body)) == 204
    assert booker.booking(reference)["sequence"] == after["sequence"]


@pytest.mark.parametrize(
    "changed", [{"amount": 1}, {"currency": "XPF"}, {"key": str(uuid.uuid4())}], ids=lambda c: next(iter(c))
)
def test_another_amount_currency_or_payment_confirms_nothing(booker, open_payment, send, changed):
    reference, payment = open_payment
    before = booker.booking(reference)
    body = event(payment, **changed)

    assert send(body, signed(body)) in {200, 202, 204}

    assert booker.booking(reference) == before


def without_invoice(booking):
    """Return the booking without its invoice, which may arrive meanwhile and whose signed link changes every second."""
    return {name: value for name, value in booking.items() if name != "invoice"}


def test_failed_after_succeeded_changes_nothing(booker, open_payment, send):
    reference, payment = open_payment
    succeeded, failed = event(payment), event(payment, outcome="FAILED", failure_code="card_declined")
    assert send(succeeded, signed(succeeded)) == 204
    eventually(lambda: booker.booking(reference)["status"] == "CONFIRMED")
    before = without_invoice(booker.booking(reference))

    assert send(failed, signed(failed)) in {200, 202, 204}

    assert without_invoice(booker.booking(reference)) == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id": 1}', b"\xff", b'{"id": "x", "type": "payment.succeeded", "payment": []}']
)
def test_a_signed_malformed_body_is_refused_or_ignored(send, body):
    assert send(body, signed(body)) in {400, 204}


def test_an_unknown_provider_is_not_found(visitor):
    assert visitor.http.post("/api/v1/payments/webhooks/nobody/", content=b"{}").status_code == 404
