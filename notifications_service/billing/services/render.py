"""Render a document when somebody asks for it, always made out to the recipient of the first time."""

from collections.abc import Callable
from uuid import UUID

from notifications_service import upstream
from notifications_service.billing import selectors
from notifications_service.billing.contracts import InvoiceView, Recipient
from notifications_service.billing.documents.pdf import invoice_pdf
from notifications_service.billing.models import InvoiceRecipient
from shared.errors import NotFound


def document_pdf(*, invoice: InvoiceView, ask: Callable[[UUID], Recipient]) -> bytes:
    """Return the PDF of `invoice`. `ask` names the recipient of a person's id; it is called only the first time.

    Raises what `ask` raises.
    """
    recipient = selectors.recipient_of(invoice_id=invoice.id)
    if recipient is None:
        recipient = _note_recipient(invoice_id=invoice.id, recipient=ask(invoice.person_id))
    return invoice_pdf(invoice=invoice, recipient=recipient)


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
    InvoiceRecipient.objects.bulk_create(
        [
            InvoiceRecipient(
                invoice_id=invoice_id, name=recipient.name, email=recipient.email, locale=recipient.locale.value
            )
        ],
        ignore_conflicts=True,
    )
    return selectors.recipient_of(invoice_id=invoice_id) or recipient
