"""Writes of billing: `issue_invoice` and `issue_credit_note` make a document; `document_pdf` renders it."""

from notifications_service.billing.services.issue import issue_credit_note, issue_invoice
from notifications_service.billing.services.render import ask_recipient, document_pdf, recipient_from

__all__ = ["ask_recipient", "document_pdf", "issue_credit_note", "issue_invoice", "recipient_from"]
