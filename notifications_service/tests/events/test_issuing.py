"""Numbers and dates of documents: the seller's zone, and one order of both, whatever consumers run at the same time."""

import threading
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from django.db import connection, transaction
from pypdf import PdfReader

from notifications_service.billing.contracts import Recipient
from notifications_service.billing.documents.pdf import invoice_pdf
from notifications_service.billing.models import Invoice
from notifications_service.billing.selectors import get_invoice
from notifications_service.billing.services import issue
from notifications_service.tests.factories import confirmed, handle
from shared.db import clock_now, database_now
from shared.ids import uuid7
from shared.testing import eventually, race
from shared.text import Locale

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_handled_at_2330_utc_on_31_december_is_an_invoice_of_the_next_year(monkeypatch):
    """Paris is an hour ahead. Seen failing (INV-2026-000001, 31 December) with the year and date of UTC."""
    monkeypatch.setattr(issue, "clock_now", lambda: datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    with transaction.atomic():
        handle(confirmed(uuid7()))

    invoice = get_invoice(invoice_id=Invoice.objects.get().id)
    assert (invoice.number, invoice.issued_on) == ("INV-2027-000001", date(2027, 1, 1))
    pdf = invoice_pdf(invoice=invoice, recipient=Recipient(name="Ann", email="ann@example.org", locale=Locale.EN))
    assert "Friday 1 January 2027" in PdfReader(BytesIO(pdf)).pages[0].extract_text()


def test_the_seller_may_be_in_another_zone(monkeypatch, settings):
    settings.SELLER_TIME_ZONE = "America/New_York"
    monkeypatch.setattr(issue, "clock_now", lambda: datetime(2027, 1, 1, 4, 59, tzinfo=UTC))

    with transaction.atomic():
        handle(confirmed(uuid7()))

    invoice = get_invoice(invoice_id=Invoice.objects.get().id)
    assert (invoice.number, invoice.issued_on) == ("INV-2026-000001", date(2026, 12, 31))


def test_a_document_of_an_older_release_keeps_its_date_in_utc():
    with transaction.atomic():
        handle(confirmed(uuid7()))
    older = Invoice.objects.get()
    older.id, older.number, older.booking_id = uuid7(), "INV-2026-000099", uuid7()
    older.issued_at, older.issued_on = datetime(2026, 12, 31, 23, 30, tzinfo=UTC), None

    older.save(force_insert=True)

    assert get_invoice(invoice_id=older.id).issued_on == date(2026, 12, 31)


def test_a_transaction_that_began_earlier_and_issues_later_has_the_later_date():
    """Seen failing (number 2 is dated before number 1) with the time at which the transaction began."""
    with transaction.atomic():
        began = database_now()
        assert race([_issue_one])[0] is None
        handle(confirmed(uuid7()), at=began)

    first, second = Invoice.objects.order_by("number")
    assert first.issued_at < second.issued_at
    assert first.number < second.number


def test_a_transaction_that_waits_for_the_number_is_dated_after_the_wait():
    """Seen failing (dated before the other committed) when the clock was read before the lock was held."""
    with transaction.atomic():
        _issue_one()
        waiting = threading.Thread(target=lambda: race([_issue_one]))
        waiting.start()
        eventually(_somebody_waits_for_a_lock)
        before_commit = clock_now()
    waiting.join(10)

    first, second = Invoice.objects.order_by("number")
    assert first.issued_at < before_commit < second.issued_at


def _issue_one() -> None:
    with transaction.atomic():
        handle(confirmed(uuid7()))


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND NOT granted"
        )
        return bool(cursor.fetchone()[0])
