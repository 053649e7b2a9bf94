"""One trace: what a mutation causes carries its trace and its request id, through every service, to the mail."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest

from shared.testing import eventually
from tests.journeys import mails
from tests.journeys.api import address
from tests.journeys.travellers import Traveller


@dataclass
class Trace:
    """The trace and request id that a client sends."""

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    request_id: str = field(default_factory=lambda: f"journey-{secrets.token_hex(8)}")

    @property
    def traceparent(self) -> str:
        """The header as W3C writes it."""
        return f"00-{self.trace_id}-{'1' * 16}-01"

    @property
    def columns(self) -> tuple[str, str]:
        """What a row of this trace has in its columns request_id and traceparent."""
        return self.request_id, self.traceparent


@contextmanager
def sending(traveller: Traveller, trace: Trace) -> Iterator[None]:
    """Let the traveller's requests carry the trace until the block ends."""
    traveller.http.headers.update({"traceparent": trace.traceparent, "X-Request-Id": trace.request_id})
    yield
    for name in ("traceparent", "X-Request-Id"):
        del traveller.http.headers[name]


def rows(service: str, query: str, *values: object) -> list[tuple[str, ...]]:
    with psycopg.connect(address(f"{service.upper()}_DATABASE_URL"), autocommit=True) as connection:
        return connection.execute(query.encode(), values).fetchall()


def events_of(reference: str) -> dict[str, tuple[str, str]]:
    """Return request id and trace of the newest event of each type of the booking."""
    query = """SELECT type, request_id, traceparent FROM outbox_outboxevent
        WHERE key = (SELECT id::text FROM bookings_booking WHERE reference = %s) ORDER BY id"""
    return {type_: (request_id, trace) for type_, request_id, trace in rows("bookings", query, reference)}


def documents_of(reference: str) -> dict[str, tuple[str, str]]:
    """Return request id and trace of the event of the booking's newest document of each kind."""
    query = """SELECT i.kind, e.request_id, e.traceparent FROM outbox_outboxevent e JOIN billing_invoice i ON e.key = i.id::text
        WHERE i.booking_reference = %s ORDER BY e.id"""
    return {kind: (request_id, trace) for kind, request_id, trace in rows("notifications", query, reference)}


def notifications_of(reference: str, kind: str) -> set[tuple[str, str]]:
    query = "SELECT request_id, traceparent FROM notifications_notification WHERE booking_reference = %s AND kind = %s"
    return {(request_id, trace) for request_id, trace in rows("notifications", query, reference, kind)}


def mail_of(traveller: Traveller, trace: Trace, *, attached: str) -> EmailMessage:
    """Return the traveller's mail with this trace that has an attachment of type `attached`."""

    def found() -> EmailMessage | None:
        of_trace = [mail for mail in mails.to(traveller.email) if mail["X-Trace-Id"] == trace.trace_id]
        return next((mail for mail in of_trace if mails.attachments(mail, attached)), None)

    mail = eventually(found, timeout=30, every=0.1)
    assert mail is not None
    return mail


def processes_that_logged(trace: Trace) -> set[str]:
    """Return the processes whose logs have the request's id, whole or as readable lines show it."""
    logs = Path(address("TRAVEL_VAR")) / "log"
    end = trace.request_id[-8:]
    return {path.stem for path in logs.glob("*.log") if end in path.read_text(encoding="utf-8", errors="replace")}


@pytest.mark.parametrize("method", ["pm_ok", "pm_slow"])
def test_a_confirmation_its_mail_and_its_invoice_continue_the_trace_of_the_mutation(traveller, departure, method):
    """A payment by pm_slow is confirmed by a webhook, after the mutation has ended. Seen failing (the webhook's trace,
    and mails without one) before payments and notifications kept their trace.
    """
    reference, trace = traveller.hold(departure)["reference"], Trace()

    with sending(traveller, trace):
        assert traveller.pay(reference, method=method).refusals("payBooking") == []

    mail_of(traveller, trace, attached="text/calendar")
    events = events_of(reference)
    assert events["travel.bookings.payment.succeeded.v1"] == trace.columns
    assert events["travel.bookings.booking.confirmed.v1"] == trace.columns
    assert events["travel.bookings.booking.created.v1"] != trace.columns
    assert documents_of(reference) == {"INVOICE": trace.columns}
    assert notifications_of(reference, "booking_confirmed") == {trace.columns}
    eventually(lambda: {"gateway.web", "notifications.worker"} <= processes_that_logged(trace))


def test_a_cancellation_its_refund_and_its_credit_note_continue_the_trace_of_the_mutation(
    traveller, departure, confirmed
):
    """The clock pays the refund out later. Seen failing (no trace) before refunds kept their trace."""
    reference, trace = confirmed(departure), Trace()
    offer = traveller.quote_cancellation(reference).field("quoteCancellation")["cancellationQuote"]

    with sending(traveller, trace):
        assert traveller.cancel(offer["id"]).refusals("cancelBooking") == []

    mail_of(traveller, trace, attached="text/calendar")
    mail_of(traveller, trace, attached="application/pdf")
    events = events_of(reference)
    assert events["travel.bookings.booking.cancelled.v1"] == trace.columns
    assert events["travel.bookings.refund.succeeded.v1"] == trace.columns
    assert documents_of(reference)["CREDIT_NOTE"] == trace.columns
    for kind in ("booking_cancelled", "refund"):
        assert notifications_of(reference, kind) == {trace.columns}
    eventually(lambda: {"gateway.web", "notifications.worker"} <= processes_that_logged(trace))
