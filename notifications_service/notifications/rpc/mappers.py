"""Contract -> protobuf, and pages with their cursors."""

import base64
import binascii
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
from shared.errors import Invalid
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

M = TypeVar("M", bound=Model)


def notification_to_proto(notification: NotificationView) -> pb.Notification:
    """Return the message of a notification."""
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
    """Return the message of a document, with a fresh link to its PDF."""
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


def page(
    rows: QuerySet[M], request: common_pb2.PageRequest, *, kind: str
) -> tuple[list[tuple[M, str]], common_pb2.PageInfo]:
    """Return the rows of a page with their cursors, and its PageInfo. `rows` are ordered by id, newest first.

    Raises Invalid for a page size outside 1 to 100 or a cursor that is not of this `kind`.
    """
    first, after = page_of(request)
    if after:
        rows = rows.filter(id__lt=_id_of(after, kind))
    found = list(rows[: first + 1])
    edges: list[tuple[M, str]] = [(row, _cursor(row.pk, kind)) for row in found[:first]]
    return edges, page_info(
        cursors=[cursor for _, cursor in edges], has_next=len(found) > first, has_previous=bool(after)
    )


def _cursor(row_id: UUID, kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{row_id.hex}".encode()).decode()


def _id_of(cursor: str, kind: str) -> UUID:
    try:
        found, _, hexadecimal = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(":")
        if found == kind and len(hexadecimal) == 32:
            return UUID(hex=hexadecimal)
    except (ValueError, binascii.Error):
        pass
    raise Invalid(field="after")


def edges_of(edges: list[tuple[Any, str]], edge: Callable[..., Any], node: Callable[[Any], Any]) -> list[Any]:
    """Return protobuf edges of a page's rows."""
    return [edge(node=node(row), cursor=cursor) for row, cursor in edges]
