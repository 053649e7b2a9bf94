"""Writes of billing: `issue_invoice` and `issue_credit_note` make a document; `document_pdf` and `…_for` render it."""

from notifications_service.billing.services.issue import issue_credit_note, issue_invoice
from notifications_service.billing.services.render import (
    ask_recipient,
    document_pdf,
    document_pdf_for,
    recipient_from,
)

__all__ = ["ask_recipient", "document_pdf", "document_pdf_for", "issue_credit_note", "issue_invoice", "recipient_from"]
