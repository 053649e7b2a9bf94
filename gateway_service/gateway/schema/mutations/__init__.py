"""The fields of Mutation."""

import graphene

from gateway_service.gateway.schema.mutations import accounts, bookings


class Mutation(graphene.ObjectType):
    register = accounts.register
    verify_email = accounts.verify_email
    resend_verification = accounts.resend_verification
    login = accounts.login
    refresh_tokens = accounts.refresh_tokens
    logout = accounts.logout
    update_profile = accounts.update_profile
    create_quote = bookings.create_quote
    create_booking = bookings.create_booking
    pay_booking = bookings.pay_booking
    quote_cancellation = bookings.quote_cancellation
    cancel_booking = bookings.cancel_booking
    rename_passenger = bookings.rename_passenger
    join_waitlist = bookings.join_waitlist
    leave_waitlist = bookings.leave_waitlist
