"""The contracts of notifications and billing as protobuf messages, and their pages."""

from typing import Final
from uuid import UUID

from contracts.travel.notifications.v1 import notifications_pb2 as pb
from notifications_service.billing.contracts import InvoiceHeader
from notifications_service.billing.domain import Kind as InvoiceKind
from notifications_service.billing.links import pdf_url
from notifications_service.notifications.contracts import NotificationView
from notifications_service.notifications.domain import Channel, Status
from shared.pages import Page
from shared.rpc.mapping import money_to_proto, page_info, ts

_CHANNELS: Final = {Channel.EMAIL: pb.CHANNEL_EMAIL, Channel.SMS: pb.CHANNEL_SMS}
_STATUSES: Final = {
    Status.PENDING: pb.NOTIFICATION_STATUS_PENDING,
    Status.SENT: pb.NOTIFICATION_STATUS_SENT,
    Status.FAILED: pb.NOTIFICATION_STATUS_FAILED,
    Status.SUPPRESSED: pb.NOTIFICATION_STATUS_SUPPRESSED,
}
_KINDS: Final = {
    InvoiceKind.INVOICE: pb.INVOICE_KIND_INVOICE,
    InvoiceKind.CREDIT_NOTE: pb.INVOICE_KIND_CREDIT_NOTE,
}


def notification_to_proto(notification: NotificationView) -> pb.Notification:
    """Return a notification as a message."""
    return pb.Notification(
        id=str(notification.id),
        person_id=str(notification.person_id),
        channel=_CHANNELS[notification.channel],
        template=notification.kind.value,
        subject=notification.subject,
        status=_STATUSES[notification.status],
        created_at=ts(notification.created_at),
        sent_at=ts(notification.sent_at),
    )


def invoice_to_proto(invoice: InvoiceHeader) -> pb.Invoice:
    """Return a document as a message, with a new link to its PDF."""
    return pb.Invoice(
        id=str(invoice.id),
        number=invoice.number,
        kind=_KINDS[invoice.kind],
        booking_id=str(invoice.booking_id),
        booking_reference=invoice.booking_reference,
        total=money_to_proto(invoice.total),
        issued_at=ts(invoice.issued_at),
        pdf_url=pdf_url(invoice.id),
        person_id=str(invoice.person_id),
    )


def notification_page_to_proto(person_id: UUID, page: Page[NotificationView]) -> pb.NotificationPage:
    """Return a person's page of notifications as a message."""
    return pb.NotificationPage(
        person_id=str(person_id),
        edges=[
            pb.NotificationEdge(node=notification_to_proto(notification), cursor=cursor)
            for notification, cursor in zip(page.rows, page.cursors, strict=True)
        ],
        page_info=page_info(cursors=page.cursors, has_next=page.has_next, has_previous=page.has_previous),
    )


def invoice_page_to_proto(person_id: UUID, page: Page[InvoiceHeader]) -> pb.InvoicePage:
    """Return a person's page of documents as a message."""
    return pb.InvoicePage(
        person_id=str(person_id),
        edges=[
            pb.InvoiceEdge(node=invoice_to_proto(invoice), cursor=cursor)
            for invoice, cursor in zip(page.rows, page.cursors, strict=True)
        ],
        page_info=page_info(cursors=page.cursors, has_next=page.has_next, has_previous=page.has_previous),
    )
