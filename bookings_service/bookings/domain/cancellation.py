"""What a cancellation refunds, with an explanation. Pure: values only.

The policy is the one that the booking's price quote fixed. Staff may set a percentage instead. After the organiser has
moved the departure, everything is refunded for a while.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bookings_service.bookings.contracts import CancellationRule
from bookings_service.bookings.domain.booking import local_date
from shared.money import Money
from shared.text import Text


@dataclass(frozen=True, slots=True)
class CancellationTerms:
    """What a cancellation refunds, what is kept as a fee, and why."""

    refund: Money
    fee: Money
    explanation: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class DepartureTerms:
    """When a departure starts, in the trip's time zone, and its cancellation policy."""

    starts_at: datetime
    time_zone: str
    policy: tuple[CancellationRule, ...]

    def days_until_departure(self, now: datetime) -> int:
        """Return the calendar days until departure in the trip's time zone."""
        return (local_date(self.starts_at, self.time_zone) - local_date(now, self.time_zone)).days

    def rule(self, now: datetime) -> CancellationRule | None:
        """Return the rule that applies now, or None if nothing is refunded any more."""
        if now >= self.starts_at:
            return None
        longest_first = sorted(self.policy, key=lambda rule: -rule.days_before)
        return next((rule for rule in longest_first if self.days_until_departure(now) >= rule.days_before), None)


def cancellation_terms(
    *, seat_prices: Sequence[Money], cancelled: Sequence[int], refundable: Money, departure: DepartureTerms,
    now: datetime, override_percent: int | None = None, free_until: datetime | None = None,
) -> CancellationTerms:  # fmt: skip
    """Return the terms of cancelling some passengers.

    `seat_prices[i]` is what was paid for passenger i. `cancelled` are the indexes of the cancelled passengers. The
    refund never exceeds `refundable`. It is rounded once, half up, for all cancelled passengers together. The
    explanation allocates it to each of them by largest remainder.

    `free_until` is set if everything is refunded until then, because the departure was moved.
    """
    affected = sum((seat_prices[index] for index in cancelled), Money.zero(refundable.currency))
    rule = departure.rule(now)
    by_policy = 100 if free_until else rule.refund_percent if rule else 0
    percent = by_policy if override_percent is None else override_percent
    by_rule = affected.share(percent)
    refund = min(by_rule, refundable)
    fee = min(affected, refundable) - refund
    explanation = [
        _departs(departure.days_until_departure(now), departure.time_zone),
        _moved(free_until, departure.time_zone) if free_until else _percentage(percent, rule, override_percent),
    ]
    if affected.amount:
        parts = refund.allocate([seat_prices[index].minor for index in cancelled])
        explanation += [
            _passenger(index + 1, seat_prices[index], part) for index, part in zip(cancelled, parts, strict=True)
        ]
    if by_rule > refundable:
        explanation.append(_refunded_before(refundable))
    explanation.append(_totals(len(cancelled), len(seat_prices), affected, refund, fee))
    return CancellationTerms(refund=refund, fee=fee, explanation=tuple(explanation))


def _departs(days: int, time_zone: str) -> Text:
    return Text(
        en=f"The trip departs in {days} days (by the calendar of {time_zone}).",
        fr=f"Le voyage part dans {days} jours (selon le calendrier de {time_zone}).",
    )


def _moved(free_until: datetime, time_zone: str) -> Text:
    until = f"{free_until.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}"
    return Text(
        en=f"The organiser moved this departure: until {until} ({time_zone}), 100 % of the price is refunded.",
        fr=f"L’organisateur a déplacé ce départ : jusqu’au {until} ({time_zone}), 100 % du prix est remboursé.",
    )


def _percentage(percent: int, rule: CancellationRule | None, override: int | None) -> Text:
    if override is not None:
        return Text(
            en=f"Set by our staff: {percent} % of the price is refunded.",
            fr=f"Fixé par notre équipe : {percent} % du prix est remboursé.",
        )
    if rule is None or not percent:
        return Text(
            en="So close to departure, nothing is refunded.",
            fr="Si près du départ, rien n’est remboursé.",
        )  # fmt: skip
    return Text(
        en=f"Cancelled at least {rule.days_before} days before departure, {percent} % of the price is refunded.",
        fr=f"Annulé au moins {rule.days_before} jours avant le départ, {percent} % du prix est remboursé.",
    )


def _passenger(number: int, paid: Money, refunded: Money) -> Text:
    return Text(
        en=f"Passenger {number}: paid {paid}, refunded {refunded}.",
        fr=f"Passager {number} : payé {paid}, remboursé {refunded}.",
    )


def _refunded_before(refundable: Money) -> Text:
    return Text(
        en=f"A refund was already made. {refundable} of the payment is still refundable.",
        fr=f"Un remboursement a déjà eu lieu : il reste {refundable} du paiement.",
    )


def _totals(cancelled: int, passengers: int, affected: Money, refund: Money, fee: Money) -> Text:
    return Text(
        en=f"Paid for {cancelled} of {passengers} passengers: {affected}. Refunded: {refund}. Kept: {fee}.",
        fr=f"Payé pour {cancelled} passagers sur {passengers} : {affected}. Remboursé : {refund}. Conservé : {fee}.",
    )
