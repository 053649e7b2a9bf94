"""The signed-in traveller: account, profile, and the traveller's bookings, notifications and invoices."""

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.bookings import BookingConnection, WaitlistEntry
from gateway_service.gateway.schema.enums import BookingOrder, BookingStatus, BookingTime, number
from gateway_service.gateway.schema.notifications import InvoiceConnection, NotificationConnection
from gateway_service.gateway.schema.person import Person
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.values import (
    Info,
    Locale,
    MessageObject,
    Node,
    NodeObject,
    Page,
    first_of,
    page_from,
    paged,
)
from shared.errors import Unauthenticated


class Profile(MessageObject):
    first_name = graphene.String(required=True)
    last_name = graphene.String(required=True)
    phone = graphene.String()
    phone_verified = graphene.Boolean(required=True)
    date_of_birth = Date()
    nationality = graphene.String()
    locale = Locale(required=True)
    currency = graphene.String(required=True)
    time_zone = graphene.String(required=True)
    notify_by_email = graphene.Boolean(required=True)
    notify_by_sms = graphene.Boolean(required=True)


class User(NodeObject):
    class Meta:
        interfaces = (Node,)

    email = graphene.String()
    email_verified = graphene.Boolean()
    profile = graphene.Field(Profile)
    bookings = paged(BookingConnection, status=BookingStatus(), time=BookingTime(), order_by=BookingOrder())
    waitlist = graphene.List(graphene.NonNull(WaitlistEntry))
    notifications = paged(NotificationConnection)
    invoices = paged(InvoiceConnection)

    @staticmethod
    async def resolve_email(root: Person, info: Info) -> str | None:
        return (await _account(root, info)).email

    @staticmethod
    async def resolve_email_verified(root: Person, info: Info) -> bool | None:
        return (await _account(root, info)).email_verified

    @staticmethod
    async def resolve_profile(root: Person, info: Info) -> users_pb2.Profile:
        return (await _account(root, info)).profile

    @staticmethod
    async def resolve_bookings(
        root: Person,
        info: Info,
        status: BookingStatus | None = None,
        time: BookingTime | None = None,
        order_by: BookingOrder | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        filters = (number(status), number(time), number(order_by))
        key = ListKey.of("bookings", root.id, *filters)
        page = PageKey(root.id, (*filters, first_of(first), key.unwrap(after)))
        return page_from(await info.context.loaders.bookings_of.load(page), key)

    @staticmethod
    async def resolve_waitlist(root: Person, info: Info) -> list[bookings_pb2.WaitlistEntry]:
        return await info.context.loaders.waitlist_of.load(root.id)

    @staticmethod
    async def resolve_notifications(
        root: Person, info: Info, first: int | None = None, after: str | None = None
    ) -> Page:
        key = ListKey.of("notifications", root.id)
        page = PageKey(root.id, (first_of(first), key.unwrap(after)))
        return page_from(await info.context.loaders.notifications_of.load(page), key)

    @staticmethod
    async def resolve_invoices(root: Person, info: Info, first: int | None = None, after: str | None = None) -> Page:
        key = ListKey.of("invoices", root.id)
        page = PageKey(root.id, (first_of(first), key.unwrap(after)))
        return page_from(await info.context.loaders.invoices_of.load(page), key)


async def _account(person: Person, info: Info) -> users_pb2.User:
    """Return the account of the token. Raises Unauthenticated if it was deleted."""
    user = await info.context.loaders.users.load(person.id)
    if user is None:
        raise Unauthenticated
    return user
