"""The payload types of mutations."""

import graphene

from gateway_service.gateway.schema.base import many
from gateway_service.gateway.schema.bookings import Booking, CancellationQuote, Payment, Quote, WaitlistEntry
from gateway_service.gateway.schema.scalars import JSON
from gateway_service.gateway.schema.users import User


class UserError(graphene.ObjectType):
    code = graphene.String(required=True)
    message = graphene.String(required=True)
    field = graphene.String()
    params = graphene.Field(JSON)


# DonePayload, RegisterPayload and VerifyEmailPayload have the same fields. The contract gives each its own name.
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
