"""Invoices and credit notes as PDF.

typst gets the data as one JSON input, so a name can only become text on the page, never markup. The same document gives
the same bytes, because the PDF carries the time of issue and not the time of rendering.
"""

import json
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from notifications_service.billing.contracts import InvoiceView, Recipient
from notifications_service.billing.domain import Kind
from notifications_service.billing.formatting import amount, date_in_words, day
from shared.money import Money
from shared.text import Text

_TEMPLATE: Final = Path(__file__).parent / "invoice.typ"
_lock = threading.Lock()

_SELLER: Final = {"name": "Travel", "lines": ["Travel Platform", "1 Harbour Road", "Sample seller, no VAT number"]}
_WORDS: Final = {
    "invoice": Text(en="Invoice", fr="Facture"),
    "credit_note": Text(en="Credit note", fr="Avoir"),
    "to": Text(en="Billed to", fr="Facturé à"),
    "issued": Text(en="Issued", fr="Date"),
    "reference": Text(en="Booking", fr="Réservation"),
    "credits": Text(en="Credits invoice", fr="Avoir sur facture"),
    "description": Text(en="Description", fr="Désignation"),
    "quantity": Text(en="Qty", fr="Qté"),
    "unit": Text(en="Unit price", fr="Prix unitaire"),
    "amount": Text(en="Amount", fr="Montant"),
    "net": Text(en="Net of tax", fr="Total HT"),
    "tax": Text(en="Tax included", fr="TVA comprise"),
    "total": Text(en="Total paid", fr="Total payé"),
    "refunded": Text(en="Refunded", fr="Remboursé"),
    "paid_note": Text(
        en="Paid in full. Thank you for travelling with us.", fr="Payée en totalité. Merci de votre confiance."
    ),
    "refund_note": Text(
        en="Sent back the way you paid; most banks show it within five working days.",
        fr="Renvoyé sur votre moyen de paiement ; la plupart des banques l’affichent sous cinq jours ouvrés.",
    ),
}


def invoice_pdf(*, invoice: InvoiceView, recipient: Recipient) -> bytes:
    """Return the document in the recipient's language."""
    document = json.dumps(_document(invoice, recipient), ensure_ascii=False)
    with _lock:  # one compiler for all threads, so that fonts are loaded once; a page takes milliseconds
        output = _compiler().compile(
            format="pdf", sys_inputs={"document": document}, timestamp=int(invoice.issued_at.timestamp())
        )
    if not isinstance(output, bytes):
        raise TypeError("typst returned pages instead of one PDF")
    return output


def file_name(invoice: InvoiceView) -> str:
    """Return the file name of the document."""
    return f"{invoice.number}.pdf"


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(str(_TEMPLATE), root=str(_TEMPLATE.parent), ignore_system_fonts=True)


def _document(invoice: InvoiceView, recipient: Recipient) -> dict[str, Any]:
    locale = recipient.locale
    is_invoice = invoice.kind is Kind.INVOICE
    trip = invoice.trip
    tax = Money.from_minor(sum(line.tax.minor for line in invoice.lines), invoice.total.currency)

    def word(name: str) -> str:
        return _WORDS[name].in_(locale)

    facts = [
        [word("issued"), date_in_words(invoice.issued_on, locale)],
        [word("reference"), invoice.booking_reference],
    ]
    if invoice.credits_number:
        facts.append([word("credits"), invoice.credits_number])
    sums = [[word("net"), amount(invoice.total - tax, locale)], [word("tax"), amount(tax, locale)]] if tax else []
    return {
        "lang": locale.value.lower(),
        "accent": "#0f6b74" if is_invoice else "#d9694a",
        "heading": word("invoice" if is_invoice else "credit_note"),
        "number": invoice.number,
        "seller": _SELLER,
        "recipient": {"name": recipient.name, "email": recipient.email},
        "labels": {"to": word("to")},
        "facts": facts,
        "trip": {
            "title": trip.title.in_(locale),
            "when": f"{day(trip.starts_at, trip.time_zone, locale)} – {day(trip.ends_at, trip.time_zone, locale)}",
        },
        "columns": [word("description"), word("quantity"), word("unit"), word("amount")],
        "lines": [
            {
                "label": line.label.in_(locale),
                "quantity": str(line.quantity),
                "unit": amount(line.unit_price, locale),
                "total": amount(line.total, locale),
            }
            for line in invoice.lines
        ],
        "sums": sums,
        "total": [word("total" if is_invoice else "refunded"), amount(invoice.total, locale)],
        "notes": [word("paid_note" if is_invoice else "refund_note")],
        "footer": f"{word('invoice' if is_invoice else 'credit_note')} {invoice.number} · {invoice.booking_reference}",
    }
