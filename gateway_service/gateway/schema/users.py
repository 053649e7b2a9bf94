"""The type `User`: the signed-in traveller's account, profile, sessions, bookings, notifications and invoices."""

from collections.abc import Awaitable, Sequence

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.account_history import SecurityEventConnection, Session
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject
from gateway_service.gateway.schema.bookings import BookingConnection, WaitlistEntry
from gateway_service.gateway.schema.columns import Column, ColumnResolver, mapped
from gateway_service.gateway.schema.enums import BookingOrder, BookingStatus, BookingTime, Locale, proto_value
from gateway_service.gateway.schema.notifications import InvoiceConnection, NotificationConnection
from gateway_service.gateway.schema.paging import Page, page_from, page_size, paged
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.user_ref import UserRef
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
    sessions = graphene.List(graphene.NonNull(Session))
    security_events = paged(SecurityEventConnection)

    @staticmethod
    @ColumnResolver
    def resolve_email(roots: Sequence[UserRef], info: Info) -> Column | Awaitable[Column]:
        return mapped(_accounts(roots, info), lambda account: account.email)

    @staticmethod
    @ColumnResolver
    def resolve_email_verified(roots: Sequence[UserRef], info: Info) -> Column | Awaitable[Column]:
        return mapped(_accounts(roots, info), lambda account: account.email_verified)

    @staticmethod
    @ColumnResolver
    def resolve_profile(roots: Sequence[UserRef], info: Info) -> Column | Awaitable[Column]:
        return mapped(_accounts(roots, info), lambda account: account.profile)

    @staticmethod
    async def resolve_bookings(
        root: UserRef,
        info: Info,
        status: BookingStatus | None = None,
        time: BookingTime | None = None,
        order_by: BookingOrder | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        filters = (proto_value(status), proto_value(time), proto_value(order_by))
        list_key = ListKey.of("bookings", root.id, *filters)
        page_key = PageKey(root.id, (*filters, page_size(first), list_key.unwrap(after)))
        return page_from(await info.context.loaders.bookings_of_traveller.load(page_key), list_key)

    @staticmethod
    async def resolve_waitlist(root: UserRef, info: Info) -> list[bookings_pb2.WaitlistEntry]:
        return await info.context.loaders.waitlist_of_traveller.load(root.id)

    @staticmethod
    async def resolve_notifications(
        root: UserRef, info: Info, first: int | None = None, after: str | None = None
    ) -> Page:
        list_key = ListKey.of("notifications", root.id)
        page_key = PageKey(root.id, (page_size(first), list_key.unwrap(after)))
        return page_from(await info.context.loaders.notifications_of_traveller.load(page_key), list_key)

    @staticmethod
    async def resolve_invoices(root: UserRef, info: Info, first: int | None = None, after: str | None = None) -> Page:
        list_key = ListKey.of("invoices", root.id)
        page_key = PageKey(root.id, (page_size(first), list_key.unwrap(after)))
        return page_from(await info.context.loaders.invoices_of_traveller.load(page_key), list_key)

    @staticmethod
    async def resolve_sessions(root: UserRef, info: Info) -> list[users_pb2.Session]:
        return await info.context.loaders.sessions_of_traveller.load(root.id)

    @staticmethod
    async def resolve_security_events(
        root: UserRef, info: Info, first: int | None = None, after: str | None = None
    ) -> Page:
        list_key = ListKey.of("securityEvents", root.id)
        page_key = PageKey(root.id, (page_size(first), list_key.unwrap(after)))
        return page_from(await info.context.loaders.security_events_of_traveller.load(page_key), list_key)


def _accounts(user_refs: Sequence[UserRef], info: Info) -> Column | Awaitable[Column]:
    """Return each traveller's account, or Unauthenticated in its place if it was deleted."""
    accounts = info.context.loaders.users.get([user_ref.id for user_ref in user_refs])
    return mapped(accounts, lambda account: account or Unauthenticated())
