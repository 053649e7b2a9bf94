"""Payloads, and how every mutation answers: with the object, or with a refusal that the mutation lists."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import graphene
from graphene.types.unmountedtype import UnmountedType

from gateway_service.gateway.schema.bookings import Booking, CancellationQuote, Payment, Quote, WaitlistEntry
from gateway_service.gateway.schema.travellers import User
from gateway_service.gateway.schema.values import Info, UserError, many, user_error
from shared.errors import DomainError, protocols_of

Payload = dict[str, Any]  # the fields of a payload by name: messages and scalars
Resolver = Callable[..., Awaitable[Payload]]


class DonePayload(graphene.ObjectType):
    ok = graphene.Boolean(required=True)
    errors = many(UserError)


class RegisterPayload(graphene.ObjectType):
    ok = graphene.Boolean(required=True)
    errors = many(UserError)


class VerifyEmailPayload(graphene.ObjectType):
    ok = graphene.Boolean(required=True)
    errors = many(UserError)


class TokensPayload(graphene.ObjectType):
    access_token = graphene.String()
    refresh_token = graphene.String()
    expires_in = graphene.Int()
    two_factor_required = graphene.Boolean(required=True)
    errors = many(UserError)


class ProfilePayload(graphene.ObjectType):
    user = graphene.Field(User)
    errors = many(UserError)


class QuotePayload(graphene.ObjectType):
    quote = graphene.Field(Quote)
    errors = many(UserError)


class BookingPayload(graphene.ObjectType):
    booking = graphene.Field(Booking)
    errors = many(UserError)


class PaymentPayload(graphene.ObjectType):
    payment = graphene.Field(Payment)
    booking = graphene.Field(Booking)
    errors = many(UserError)


class CancellationQuotePayload(graphene.ObjectType):
    cancellation_quote = graphene.Field(CancellationQuote)
    errors = many(UserError)


class WaitlistPayload(graphene.ObjectType):
    entry = graphene.Field(WaitlistEntry)
    errors = many(UserError)


class Mutating(graphene.Field):
    """A field of Mutation. It answers a refusal whose code is in `refusals` in its payload; any other is a top-level error."""

    def __init__(
        self, payload: type[graphene.ObjectType], refusals: frozenset[str], act: Resolver, **arguments: UnmountedType
    ):
        self.refusals = refusals
        super().__init__(payload, required=True, resolver=_answering(act, refusals), **arguments)


def mutation(
    payload: type[graphene.ObjectType], refusals: str = "", **arguments: UnmountedType
) -> Callable[[Resolver], Mutating]:
    """Return a decorator for a coroutine function `(info, **arguments)` that returns a payload's fields or raises a refusal."""

    def decorate(act: Resolver) -> Mutating:
        return Mutating(payload, frozenset(refusals.split()), act, **arguments)

    return decorate


def _answering(act: Resolver, refusals: frozenset[str]) -> Resolver:
    @functools.wraps(act)
    async def resolve(_root: None, info: Info, **arguments: object) -> Payload:
        locale = await info.context.locale()
        try:
            answer = await act(info, **arguments)
        except DomainError as error:
            if error.code not in refusals and protocols_of(error).graphql is not None:
                raise
            two_factor = error.code == "TWO_FACTOR_REQUIRED"
            return {"ok": False, "two_factor_required": two_factor, "errors": [user_error(error, locale)]}
        finally:
            info.context.renew()
        return {"ok": True, "two_factor_required": False, "errors": [], **answer}

    return resolve
