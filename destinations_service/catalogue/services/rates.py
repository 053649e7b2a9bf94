"""Exchange rates. Who writes them refreshes the costs that follow from them, and publishes that they changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from destinations_service.catalogue import events
from destinations_service.catalogue.contracts import NewRate
from destinations_service.catalogue.rate_rules import RateJump, check_rate
from destinations_service.catalogue.services.derived import refresh_costs_in
from shared.db import advisory_xact_lock, clock_now

# A day's rate that differs more from the day before is more often a mistake in the file than a crash of a currency.
MOST_JUMP: Final = Decimal("1.5")
_LATEST: Final = """
SELECT DISTINCT ON (currency) currency, rate FROM catalogue_exchangerate
WHERE currency = ANY(%s) ORDER BY currency, as_of DESC
"""
_WRITE: Final = """
INSERT INTO catalogue_exchangerate AS stored (currency, rate, as_of, source)
SELECT * FROM unnest(%(currencies)s::varchar[], %(rates)s::numeric[], %(days)s::date[], %(sources)s::varchar[])
ON CONFLICT (currency, as_of) DO UPDATE SET rate = excluded.rate, source = excluded.source
WHERE (stored.rate, stored.source) IS DISTINCT FROM (round(excluded.rate, 6), excluded.source)
RETURNING currency, xmax = 0
"""


@dataclass(frozen=True, slots=True)
class RatesWritten:
    """How many rates were new, corrected or known, and how many places have another cost of a day now."""

    new: int
    corrected: int
    unchanged: int
    places: int


def update_rates(rates: Sequence[NewRate], *, force: bool = False) -> RatesWritten:
    """Write dated rates, refresh the costs that follow from them, and publish. A second call changes nothing.

    Raises Invalid for a rate that cannot be, and RateJump for one that is far from the last one, unless `force`. Then
    nothing is written.
    """
    with transaction.atomic():
        advisory_xact_lock("exchange rates")
        for rate in rates:
            check_new_rate(rate)
        if not force:
            _refuse_jumps(rates)
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE,
                {
                    "currencies": [rate.currency for rate in rates],
                    "rates": [rate.rate for rate in rates],
                    "days": [rate.as_of for rate in rates],
                    "sources": [rate.source for rate in rates],
                },
            )
            written = cursor.fetchall()
        new = sum(is_new for _, is_new in written)
        places = record_rates_change({currency for currency, _ in written}) if written else 0
        return RatesWritten(new=new, corrected=len(written) - new, unchanged=len(rates) - len(written), places=places)


def check_new_rate(rate: NewRate) -> None:
    """Raise Invalid, naming the field and the allowed values, for a rate that cannot be."""
    check_rate(currency=rate.currency, rate=rate.rate, as_of=rate.as_of, today=timezone.now().date())


def record_rates_change(currencies: Collection[str]) -> int:
    """Refresh the costs in `currencies`, and publish that exchange rates changed. Return how many places changed.

    Call it in the transaction of the write. The version of the event is the time in microseconds, read under the lock
    of the list, so that it grows.
    """
    advisory_xact_lock("exchange rates")
    places = refresh_costs_in(currencies)
    events.publish_exchange_rates(version=int(clock_now().timestamp() * 1_000_000))
    return places


def _refuse_jumps(rates: Sequence[NewRate]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [[rate.currency for rate in rates]])
        latest = dict(cursor.fetchall())
    for rate in rates:
        before = latest.get(rate.currency)
        if before is not None and not before / MOST_JUMP <= rate.rate <= before * MOST_JUMP:
            raise RateJump(currency=rate.currency, before=before.normalize(), rate=rate.rate)
