"""The rules: who gets a notification, when to try again, how documents are numbered, and how amounts and dates look."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from notifications_service.billing import domain as billing
from notifications_service.billing.formatting import amount, moment
from notifications_service.notifications.domain import (
    RETRY_STEPS,
    Channel,
    Kind,
    Preferences,
    cancellation_kind,
    has_given_up,
    latest_time,
    suppression_reason,
)
from shared.backoff import pause_before
from shared.money import Money
from shared.text import Locale, Text

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WILLING = Preferences(
    email="a@example.org", phone="+33612345678", phone_verified=True, notify_by_email=True, notify_by_sms=True
)
DECLINING = dataclasses.replace(WILLING, notify_by_email=False, notify_by_sms=False)
UNVERIFIED = dataclasses.replace(WILLING, phone_verified=False)
WITHOUT_PHONE = dataclasses.replace(WILLING, phone="")


@pytest.mark.parametrize(
    ("kind", "channel", "preferences", "reason"),
    [
        (Kind.BOOKING_CONFIRMED, Channel.EMAIL, WILLING, ""),
        (Kind.BOOKING_CONFIRMED, Channel.SMS, WILLING, ""),
        (Kind.BOOKING_CONFIRMED, Channel.EMAIL, DECLINING, ""),
        (Kind.BOOKING_CANCELLED, Channel.EMAIL, DECLINING, ""),
        (Kind.BOOKING_CHANGED, Channel.EMAIL, DECLINING, ""),
        (Kind.DEPARTURE_CANCELLED, Channel.EMAIL, DECLINING, ""),
        (Kind.DEPARTURE_CANCELLED, Channel.SMS, DECLINING, "declined SMS"),
        (Kind.DEPARTURE_CANCELLED, Channel.SMS, UNVERIFIED, "unverified phone number"),
        (Kind.PAYMENT_FAILED, Channel.EMAIL, DECLINING, "declined email"),
        (Kind.BOOKING_CONFIRMED, Channel.SMS, DECLINING, "declined SMS"),
        (Kind.VERIFY_EMAIL, Channel.EMAIL, DECLINING, ""),
        (Kind.REUSE_DETECTED, Channel.EMAIL, DECLINING, ""),
        (Kind.BOOKING_CONFIRMED, Channel.SMS, WITHOUT_PHONE, "no phone number"),
        (Kind.BOOKING_CONFIRMED, Channel.SMS, UNVERIFIED, "unverified phone number"),
        (Kind.VERIFY_PHONE, Channel.SMS, UNVERIFIED, ""),
        (Kind.VERIFY_PHONE, Channel.SMS, DECLINING, ""),
        (Kind.VERIFY_PHONE, Channel.SMS, WITHOUT_PHONE, "no phone number"),
        (Kind.REFUND, Channel.EMAIL, None, "the account no longer exists"),
    ],
)
def test_preferences_decide_except_for_kinds_that_cannot_be_declined(kind, channel, preferences, reason):
    assert suppression_reason(kind=kind, channel=channel, preferences=preferences) == reason


@pytest.mark.parametrize(("channel", "hours"), [(Channel.EMAIL, (60, 84)), (Channel.SMS, (2, 4))])
def test_attempts_have_longer_pauses_and_end_after_days_or_hours(channel, hours):
    failures, seconds = 1, 0.0
    while not has_given_up(channel=channel, failures=failures):
        failures += 1
        seconds += pause_before(failures, RETRY_STEPS)

    assert hours[0] < seconds / 3600 < hours[1]


@pytest.mark.parametrize(
    ("kind", "latest"),
    [(Kind.PAYMENT_FAILED, NOW), (Kind.WAITLIST_OFFERED, NOW), (Kind.PASSENGER_RENAMED, None)],
)
def test_what_asks_the_person_to_act_in_time_has_a_latest_time(kind, latest):
    assert latest_time(kind=kind, held_until=NOW) is latest


def test_the_reason_of_a_cancellation_decides_the_mail():
    assert cancellation_kind("HOLD_EXPIRED") is Kind.HOLD_EXPIRED
    assert cancellation_kind("PAYMENT_FAILED") is Kind.HOLD_EXPIRED
    assert cancellation_kind("CANCELLED_BY_TRAVELLER") is Kind.BOOKING_CANCELLED


def price_line(total: int, tax: int) -> billing.PriceLine:
    money = Money.from_minor(total, "EUR")
    return billing.PriceLine(Text(en="Adult", fr="Adulte"), 1, money, money, Money.from_minor(tax, "EUR"))


def test_an_invoice_that_does_not_add_up_is_refused():
    with pytest.raises(billing.InvoiceDoesNotAddUp):
        billing.check_sum((price_line(1000, 0), price_line(999, 0)), Money.from_minor(2000, "EUR"))
    with pytest.raises(billing.InvoiceDoesNotAddUp):
        billing.check_sum((), Money.zero("EUR"))


def test_a_credit_note_has_its_share_of_the_tax():
    credit = billing.refund_line(
        reference="K7QX4MPR",
        amount=Money.from_minor(5000, "EUR"),
        invoiced=(price_line(9000, 900), price_line(1000, 100)),
    )

    assert (credit.total.minor, credit.tax.minor) == (5000, 500)
    assert credit.label.fr == "Remboursement de la réservation K7QX4MPR"


def test_numbers_show_kind_and_year():
    assert billing.number(billing.series(billing.Kind.INVOICE, 2026), 1) == "INV-2026-000001"
    assert billing.number(billing.series(billing.Kind.CREDIT_NOTE, 2027), 1234567) == "CN-2027-1234567"


@pytest.mark.parametrize(
    ("money", "en", "fr"),
    [
        (Money(Decimal("1234.50"), "EUR"), "€1,234.50", "1\u202f234,50\u00a0€"),
        (Money(Decimal(-3), "USD"), "-$3.00", "-3,00\u00a0$"),
        (Money(Decimal(1200), "JPY"), "¥1,200", "1\u202f200\u00a0¥"),
        (Money(Decimal("9.5"), "CHF"), "CHF\u00a09.50", "9,50\u00a0CHF"),
    ],
)
def test_amounts_are_formatted_for_each_language(money, en, fr):
    assert (amount(money, Locale.EN), amount(money, Locale.FR)) == (en, fr)


def test_moments_are_shown_in_the_local_time_zone():
    assert moment(NOW, "Asia/Tokyo", Locale.EN) == "Monday 23 November 2026, 21:00"
    assert moment(NOW, "Europe/Paris", Locale.FR) == "lundi 23 novembre 2026, 13\u00a0h\u00a000"
