"""The contracts of notifications and billing as protobuf messages, and their pages."""

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from contracts.travel.common.v1 import common_pb2
from contracts.travel.notifications.v1 import notifications_pb2 as pb
from notifications_service.billing.contracts import InvoiceView
from notifications_service.billing.domain import Kind as InvoiceKind
from notifications_service.billing.links import pdf_url
from notifications_service.notifications.contracts import NotificationView
from notifications_service.notifications.domain import Channel, Status
from shared import pages
from shared.rpc.mapping import money_to_proto, page_info, page_of, ts

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

_NEWEST_FIRST: Final = (pages.Key("id", UUID, descending=True),)  # a UUIDv7's order is the order of creation

M = TypeVar("M", bound=Model)


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


def invoice_to_proto(invoice: InvoiceView) -> pb.Invoice:
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


def page_to_proto(
    rows: QuerySet[M],
    request: common_pb2.PageRequest,
    *,
    kind: str,
    edge: Callable[..., Any],
    node: Callable[[M], Any],
) -> tuple[list[Any], common_pb2.PageInfo]:
    """Return a page of `rows`, newest first, as the edges and the PageInfo of its message.

    Raises Invalid for a page size outside 1 to 100, or a cursor that is not of a list of this `kind`.
    """
    first, after = page_of(request)
    page = pages.page(rows, keys=_NEWEST_FIRST, first=first, after=after, kind=kind)
    edges = [edge(node=node(row), cursor=cursor) for row, cursor in zip(page.rows, page.cursors, strict=True)]
    return edges, page_info(cursors=page.cursors, has_next=page.has_next, has_previous=page.has_previous)
