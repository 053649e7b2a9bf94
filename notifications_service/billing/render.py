"""A document on demand: rendered from its rows, made out to whom it was made out first."""

from collections.abc import Callable
from uuid import UUID

from notifications_service.billing import selectors, services
from notifications_service.billing.contracts import InvoiceView, Recipient
from notifications_service.billing.documents import pdf


def document(*, invoice: InvoiceView, ask: Callable[[UUID], Recipient]) -> bytes:
    """Return the PDF of `invoice`; `ask` names its recipient where nobody has been noted yet.

    Raises what `ask` raises.
    """
    recipient = selectors.recipient_of(invoice_id=invoice.id)
    if recipient is None:
        recipient = services.note_recipient(invoice_id=invoice.id, recipient=ask(invoice.person_id))
    return pdf.invoice_pdf(invoice=invoice, recipient=recipient)
