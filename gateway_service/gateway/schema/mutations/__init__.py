"""The fields of Mutation."""

import graphene

from gateway_service.gateway.schema.mutations import accounts, bookings, security


class Mutation(graphene.ObjectType):
    register = accounts.register
    verify_email = accounts.verify_email
    resend_verification = accounts.resend_verification
    login = accounts.login
    refresh_tokens = accounts.refresh_tokens
    logout = accounts.logout
    request_password_reset = security.request_password_reset
    reset_password = security.reset_password
    change_password = security.change_password
    change_email = security.change_email
    confirm_email_change = security.confirm_email_change
    update_profile = accounts.update_profile
    verify_phone = security.verify_phone
    revoke_session = security.revoke_session
    create_quote = bookings.create_quote
    create_booking = bookings.create_booking
    pay_booking = bookings.pay_booking
    quote_cancellation = bookings.quote_cancellation
    cancel_booking = bookings.cancel_booking
    accept_change = bookings.accept_change
    rename_passenger = bookings.rename_passenger
    join_waitlist = bookings.join_waitlist
    leave_waitlist = bookings.leave_waitlist
