"""The sandbox as its callers see it: a real process that serves HTTP and sends webhooks over HTTP."""

import hashlib
import hmac
import os
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from payment_sandbox.tests.conftest import ROOT, SECRET, Listener, Sandbox, eventually


def test_a_repeated_payment_succeeds_once(sandbox: Sandbox, listener: Listener) -> None:
    key = str(uuid4())

    answers = [sandbox.pay("pm_ok", key=key).json() for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert {name: answers[0][name] for name in ("key", "status", "amount", "currency", "failure_code")} == {
        "key": key, "status": "SUCCEEDED", "amount": 12_050, "currency": "EUR", "failure_code": "",
    }  # fmt: skip
    assert eventually(lambda: listener.of(key))[0]["type"] == "payment.succeeded"
    time.sleep(0.3)
    assert len(listener.of(key)) == 1


def test_the_same_key_with_another_request_is_refused(sandbox: Sandbox) -> None:
    key = str(uuid4())
    sandbox.pay("pm_ok", key=key)

    assert sandbox.pay("pm_ok", key=key, amount=1).status_code == 409
    assert sandbox.http.get(f"/v1/payments/{key}").json()["amount"] == 12_050


def test_a_declined_payment_has_a_failure_code(sandbox: Sandbox, listener: Listener) -> None:
    answer = sandbox.pay("pm_declined").json()

    assert (answer["status"], answer["failure_code"]) == ("FAILED", "card_declined")
    assert eventually(lambda: listener.of(answer["key"]))[0]["type"] == "payment.failed"


def test_the_signature_of_a_webhook_covers_time_and_body(sandbox: Sandbox, listener: Listener) -> None:
    sandbox.pay("pm_ok")

    headers, body = eventually(lambda: listener.calls)[-1]

    stamp, signed = (part.split("=", 1)[1] for part in headers["X-Payment-Signature"].split(","))
    assert abs(int(stamp) - time.time()) < 5
    assert signed == hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_webhook_is_repeated_until_it_is_accepted(own_sandbox: Sandbox, own_listener: Listener) -> None:
    own_listener.refuse = 2

    key = own_sandbox.pay("pm_ok").json()["key"]

    eventually(lambda: own_listener.of(key))
    assert len(own_listener.calls) == 3
    assert len({body for _, body in own_listener.calls}) == 1


def test_an_undelivered_webhook_survives_a_kill(own_sandbox: Sandbox, own_listener: Listener) -> None:
    own_listener.refuse = 1
    key = own_sandbox.pay("pm_ok").json()["key"]
    eventually(lambda: own_listener.calls)

    own_sandbox.stop(signal.SIGKILL)
    own_sandbox.start()

    assert eventually(lambda: own_listener.of(key))[0]["payment"]["status"] == "SUCCEEDED"
    assert own_sandbox.http.get(f"/v1/payments/{key}").json()["status"] == "SUCCEEDED"


def test_a_payment_can_name_its_own_webhook_url(sandbox: Sandbox, listener: Listener) -> None:
    other = listener.url.replace("/webhooks/", "/others/")

    key = sandbox.pay("pm_ok", webhook_url=other).json()["key"]

    eventually(lambda: listener.of(key))


@pytest.mark.parametrize(
    ("decision", "status", "failure_code"),
    [("approve", "SUCCEEDED", ""), ("decline", "FAILED", "authentication_failed")],
)
def test_a_person_approves_or_declines(
    sandbox: Sandbox, listener: Listener, decision: str, status: str, failure_code: str
) -> None:
    waiting = sandbox.pay("pm_action").json()
    path = "/actions/" + waiting["redirect_url"].rsplit("/", 1)[1]
    assert waiting["status"] == "REQUIRES_ACTION"
    assert "120.50 EUR" in sandbox.http.get(path).text

    sandbox.http.post(path, data={"decision": "neither"})
    assert sandbox.http.get(f"/v1/payments/{waiting['key']}").json()["status"] == "REQUIRES_ACTION"
    sandbox.http.post(path, data={"decision": decision})
    sandbox.http.post(path, data={"decision": "approve"})  # the first decision stands

    decided = sandbox.http.get(f"/v1/payments/{waiting['key']}").json()
    assert (decided["status"], decided["failure_code"], decided["redirect_url"]) == (status, failure_code, "")
    assert eventually(lambda: listener.of(waiting["key"]))[0]["payment"]["status"] == status


def test_a_slow_payment_succeeds_although_the_caller_gave_up(sandbox: Sandbox, listener: Listener) -> None:
    key = str(uuid4())

    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post(
            "/v1/payments", json={"key": key, "amount": 100, "currency": "EUR", "method": "pm_slow"}, timeout=0.5
        )

    assert sandbox.http.get(f"/v1/payments/{key}").json()["status"] == "PROCESSING"
    assert eventually(lambda: listener.of(key), 8.0)[0]["payment"]["status"] == "SUCCEEDED"


def test_pm_timeout_charges_without_an_answer_or_a_webhook(sandbox: Sandbox, listener: Listener) -> None:
    key = str(uuid4())

    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post(
            "/v1/payments", json={"key": key, "amount": 100, "currency": "EUR", "method": "pm_timeout"}, timeout=0.5
        )

    assert sandbox.http.get(f"/v1/payments/{key}").json()["status"] == "SUCCEEDED"
    assert listener.of(key) == []


def test_pm_error_charges_nothing(sandbox: Sandbox) -> None:
    key = str(uuid4())

    assert sandbox.pay("pm_error", key=key).status_code == 503
    assert sandbox.http.get(f"/v1/payments/{key}").status_code == 404


def test_refunds_never_exceed_the_payment(sandbox: Sandbox) -> None:
    payment = sandbox.pay("pm_ok").json()["key"]
    key = str(uuid4())

    answers = [sandbox.refund(payment, 10_000, key=key).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert (answers[0]["status"], answers[0]["amount"], answers[0]["currency"]) == ("SUCCEEDED", 10_000, "EUR")
    assert sandbox.refund(payment, 2_051).status_code == 422
    assert sandbox.refund(payment, 2_050).status_code == 200
    assert sandbox.http.get(f"/v1/payments/{payment}").json()["refunded"] == 12_050
    assert sandbox.http.get(f"/v1/payments/{payment}/refunds/{key}").json()["status"] == "SUCCEEDED"


def test_a_failed_or_unknown_payment_cannot_be_refunded(sandbox: Sandbox) -> None:
    declined = sandbox.pay("pm_declined").json()["key"]

    assert sandbox.refund(declined, 100).status_code == 422
    assert sandbox.refund(str(uuid4()), 100).status_code == 404


def test_a_refund_that_failed_once_succeeds_when_repeated(sandbox: Sandbox) -> None:
    payment, key = sandbox.pay("pm_refund_fails_once").json()["key"], str(uuid4())

    first, second, third = (sandbox.refund(payment, 500, key=key).json() for _ in range(3))

    assert [first["status"], second["status"], third["status"]] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert sandbox.http.get(f"/v1/payments/{payment}").json()["refunded"] == 500


def test_a_refund_that_is_refused_seven_times_succeeds_at_the_eighth(sandbox: Sandbox) -> None:
    payment, key = sandbox.pay("pm_refund_refused").json()["key"], str(uuid4())

    statuses = [sandbox.refund(payment, 500, key=key).json()["status"] for _ in range(8)]

    assert statuses == ["FAILED"] * 7 + ["SUCCEEDED"]


def test_cancelling_fails_only_payments_without_a_final_outcome(sandbox: Sandbox) -> None:
    waiting, paid = sandbox.pay("pm_action").json()["key"], sandbox.pay("pm_ok").json()["key"]

    assert sandbox.http.post(f"/v1/payments/{waiting}/cancel").json()["failure_code"] == "cancelled"
    assert sandbox.http.post(f"/v1/payments/{paid}/cancel").json()["status"] == "SUCCEEDED"
    assert sandbox.http.post(f"/v1/payments/{uuid4()}/cancel").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0}, {"amount": -1}, {"amount": True}, {"amount": "100"}, {"amount": 1.5}, {"amount": 2**60},
        {"currency": "eur"}, {"currency": None}, {"method": "pm_unknown"}, {"method": None}, {"key": ""}, {"key": "a b"},
        {"key": "k" * 256}, {"webhook_url": "file:///etc/passwd"}, {"webhook_url": 7},
    ],
)  # fmt: skip
def test_malformed_payments_are_refused(sandbox: Sandbox, change: dict[str, Any]) -> None:
    body = {"key": str(uuid4()), "amount": 100, "currency": "EUR", "method": "pm_ok", **change}

    assert sandbox.http.post("/v1/payments", json=body).status_code == 400
    assert sandbox.http.get(f"/v1/payments/{body['key'] or 'none'}").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 10_000, b'{"key": "' + b"k" * 20_000 + b'"}'])
def test_malformed_bodies_are_refused(sandbox: Sandbox, body: bytes) -> None:
    assert sandbox.http.post("/v1/payments", content=body).status_code == 400
    assert sandbox.http.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["PAYMENT_SANDBOX_URL", "PAYMENT_WEBHOOK_URL", "PAYMENT_WEBHOOK_SECRET"])
def test_it_refuses_to_start_without_its_environment(name: str) -> None:
    complete = {
        "PAYMENT_SANDBOX_URL": "http://127.0.0.1:9",
        "PAYMENT_WEBHOOK_URL": "http://x",
        "PAYMENT_WEBHOOK_SECRET": "x",
    }
    environment = {**os.environ, **complete}
    del environment[name]

    ended = subprocess.run(
        [sys.executable, "-m", "payment_sandbox"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (78, f"payment_sandbox: {name} is not set\n")
