"""Render a document when somebody asks for it, always made out to the recipient of the first time."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import connection

from notifications_service import upstream
from notifications_service.billing import selectors
from notifications_service.billing.contracts import InvoiceView, Recipient
from notifications_service.billing.documents.pdf import invoice_pdf
from shared.errors import NotFound

_NOTE: Final = """
INSERT INTO billing_invoicerecipient (invoice_id, name, email, locale, noted_at) VALUES (%s, %s, %s, %s, now())
ON CONFLICT (invoice_id) DO NOTHING"""


def document_pdf(*, invoice: InvoiceView, ask: Callable[[UUID], Recipient]) -> bytes:
    """Return the PDF of `invoice`. `ask` names the recipient of a person's id; it is called only the first time.

    Raises what `ask` raises.
    """
    recipient = selectors.recipient_of(invoice_id=invoice.id)
    if recipient is None:
        recipient = _note_recipient(invoice_id=invoice.id, recipient=ask(invoice.person_id))
    return invoice_pdf(invoice=invoice, recipient=recipient)


def document_pdf_for(*, invoice: InvoiceView, recipient: Recipient) -> bytes:
    """Return the PDF of `invoice`, made out to `recipient` unless it was rendered for somebody before."""
    return invoice_pdf(invoice=invoice, recipient=_note_recipient(invoice_id=invoice.id, recipient=recipient))


def ask_recipient(person_id: UUID) -> Recipient:
    """Ask users_service for the recipient of the person's documents.

    Raises NotFound if the account no longer exists, Unavailable or DeadlineExceeded if users_service does not answer.
    """
    contact = upstream.contact_of(person_id=person_id)
    if contact is None:
        raise NotFound
    return recipient_from(contact)


def recipient_from(contact: upstream.Contact) -> Recipient:
    """Return the person as a document is made out to them."""
    name = f"{contact.first_name} {contact.last_name}".strip()
    return Recipient(name=name, email=contact.email, locale=contact.locale)


def _note_recipient(*, invoice_id: UUID, recipient: Recipient) -> Recipient:
    """Store the document's recipient unless there is one already, and return the stored one."""
    with connection.cursor() as cursor:  # every mail with a document does this, so it is one statement
        cursor.execute(_NOTE, [invoice_id, recipient.name, recipient.email, recipient.locale.value])
        is_new = cursor.rowcount == 1
    return recipient if is_new else selectors.recipient_of(invoice_id=invoice_id) or recipient
