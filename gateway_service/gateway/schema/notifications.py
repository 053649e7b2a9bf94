"""The types of notifications to travellers, and of their invoices."""

import graphene

from gateway_service.gateway.schema.base import Node, NodeObject
from gateway_service.gateway.schema.enums import InvoiceKind, NotificationChannel, NotificationStatus
from gateway_service.gateway.schema.money import Money
from gateway_service.gateway.schema.paging import connection
from gateway_service.gateway.schema.scalars import DateTime


class Notification(NodeObject):
    class Meta:
        interfaces = (Node,)

    channel = NotificationChannel(required=True)
    template = graphene.String(required=True)
    subject = graphene.String(required=True)
    status = NotificationStatus(required=True)
    created_at = DateTime(required=True)
    sent_at = DateTime()


class Invoice(NodeObject):
    class Meta:
        interfaces = (Node,)

    number = graphene.String(required=True)
    kind = InvoiceKind(required=True)
    booking_reference = graphene.String(required=True)
    total = graphene.Field(Money, required=True)
    issued_at = DateTime(required=True)
    pdf_url = graphene.String(required=True)


NotificationConnection = connection("Notification", Notification)
InvoiceConnection = connection("Invoice", Invoice)
