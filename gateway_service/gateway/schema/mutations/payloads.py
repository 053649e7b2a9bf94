"""Payloads, and the one way a mutation answers: the object, or the refusals it lists."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import graphene

from gateway_service.gateway.schema.bookings import Booking, CancellationQuote, Payment, Quote, WaitlistEntry
from gateway_service.gateway.schema.travellers import User
from gateway_service.gateway.schema.values import Info, UserError, many, user_error
from shared.errors import DomainError, protocols_of

Resolver = Callable[..., Awaitable[dict[str, Any]]]


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
    """A field of Mutation; `refusals` are the codes that it answers in its payload, anything else is a top-level error."""

    def __init__(self, payload: type[graphene.ObjectType], refusals: frozenset[str], act: Resolver, **arguments: Any):
        self.refusals = refusals
        super().__init__(payload, required=True, resolver=_answering(act, refusals), **arguments)


def mutation(
    payload: type[graphene.ObjectType], refusals: str = "", **arguments: Any
) -> Callable[[Resolver], Mutating]:
    """Make a mutation of a coroutine `(info, **arguments)` that returns the payload's fields or raises a refusal."""

    def decorate(act: Resolver) -> Mutating:
        return Mutating(payload, frozenset(refusals.split()), act, **arguments)

    return decorate


def _answering(act: Resolver, refusals: frozenset[str]) -> Callable[..., Awaitable[dict[str, Any]]]:
    @functools.wraps(act)
    async def resolve(_root: None, info: Info, **arguments: Any) -> dict[str, Any]:
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
