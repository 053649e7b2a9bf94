"""The signed-in traveller: account, profile, and what is theirs in the other services."""

from dataclasses import dataclass
from typing import Any, ClassVar

import graphene

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import Listed
from gateway_service.gateway.schema.bookings import BookingConnection, WaitlistEntry
from gateway_service.gateway.schema.enums import BookingOrder, BookingStatus, BookingTime, number
from gateway_service.gateway.schema.notifications import InvoiceConnection, NotificationConnection
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.values import (
    Identified,
    Info,
    Locale,
    Node,
    Page,
    Shown,
    empty_page,
    first_of,
    page_from,
    paged,
)
from shared.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Person:
    """A traveller known by the token alone: there even while users_service is not."""

    id: str
    shown_as: ClassVar[str] = "User"


class Profile(Shown):
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


class User(Identified):
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
    async def resolve_profile(root: Person, info: Info) -> Any:
        return (await _account(root, info)).profile

    @staticmethod
    async def resolve_bookings(
        root: Person,
        info: Info,
        status: Any = None,
        time: Any = None,
        order_by: Any = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        narrowed = (number(status), number(time), number(order_by))
        key = ListKey.of("bookings", root.id, *narrowed)
        listed = Listed(root.id, (*narrowed, first_of(first), key.unwrap(after)))
        answer = await info.context.loaders.bookings_of.load(listed)
        return page_from(answer, key) if answer else empty_page()

    @staticmethod
    async def resolve_waitlist(root: Person, info: Info) -> Any:
        return await info.context.loaders.waitlist_of.load(root.id)

    @staticmethod
    async def resolve_notifications(
        root: Person, info: Info, first: int | None = None, after: str | None = None
    ) -> Page:
        key = ListKey.of("notifications", root.id)
        listed = Listed(root.id, (first_of(first), key.unwrap(after)))
        answer = await info.context.loaders.notifications_of.load(listed)
        return page_from(answer, key) if answer else empty_page()

    @staticmethod
    async def resolve_invoices(root: Person, info: Info, first: int | None = None, after: str | None = None) -> Page:
        key = ListKey.of("invoices", root.id)
        listed = Listed(root.id, (first_of(first), key.unwrap(after)))
        answer = await info.context.loaders.invoices_of.load(listed)
        return page_from(answer, key) if answer else empty_page()


async def _account(person: Person, info: Info) -> users_pb2.User:
    """Return the account behind the token. Raises Unauthenticated where it is gone."""
    user = await info.context.loaders.users.load(person.id)
    if user is None:
        raise Unauthenticated
    return user
