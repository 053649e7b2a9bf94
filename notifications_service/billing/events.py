"""The events of billing."""

from contracts.travel.events.v1 import notifications_pb2
from notifications_service.billing.contracts import InvoiceView
from shared.outbox import publish
from shared.rpc.mapping import money_to_proto


def issued(invoice: InvoiceView) -> None:
    """Publish that the document was issued, in the transaction that issues it."""
    publish(
        notifications_pb2.InvoiceIssued(
            invoice_id=str(invoice.id),
            number=invoice.number,
            kind=invoice.kind.value,
            booking_id=str(invoice.booking_id),
            person_id=str(invoice.person_id),
            total=money_to_proto(invoice.total),
        ),
        aggregate_id=invoice.id,
        sequence=1,
        occurred_at=invoice.issued_at,
    )
