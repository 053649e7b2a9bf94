"""Expire holds: the seats are released. If the latest payment is live, the hold is extended once instead."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bookings_service.bookings import events
from bookings_service.bookings.contracts import SYSTEM
from bookings_service.bookings.domain.booking import Action, Reason, Status
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.booking.transition import save_with_history, transition
from bookings_service.bookings.services.job import Job, earliest
from bookings_service.bookings.services.seats.release import release
from bookings_service.payments.domain import LIVE, PaymentStatus
from shared.db import database_now
from shared.failpoints import failpoint
from shared.money import Money
from shared.telemetry import bind_request


def expire_holds(*, limit: int = 100) -> int:
    """Expire or extend up to `limit` holds that have ended by the database's time. Return their number.

    Each hold is its own transaction. Several processes may run this at the same time: each skips the rows that
    another has locked.
    """
    done = 0
    while done < limit and _expire_next():
        done += 1
    return done


def _holds() -> QuerySet[Booking]:
    return Booking.objects.filter(status=Status.PENDING)


EXPIRE_HOLDS = Job("expire_holds", expire_holds, lambda: earliest(_holds(), "hold_expires_at"))


def _expire_next() -> bool:
    with bind_request(), transaction.atomic():  # nobody's request: each booking's events have a trace of their own
        now = database_now()
        booking = (
            _holds()
            .select_for_update(skip_locked=True)
            .filter(hold_expires_at__lte=now)
            .order_by("hold_expires_at")
            .first()
        )
        if booking is None:
            return False
        latest = booking.payments.order_by("-created_at").first()
        if latest is not None and latest.status in LIVE and not booking.hold_extended:
            _extend(booking, now=now)
        else:
            _expire(booking, failed=latest is not None and latest.status == PaymentStatus.FAILED, now=now)
        failpoint("expiry.before_commit")
        return True


def _extend(booking: Booking, *, now: datetime) -> None:
    booking.hold_extended = True
    booking.hold_expires_at = now + settings.HOLD_EXTENSION
    save_with_history(booking, events.hold_extended(), actor=SYSTEM, now=now)


def _expire(booking: Booking, *, failed: bool, now: datetime) -> None:
    reason = Reason.PAYMENT_FAILED if failed else Reason.HOLD_EXPIRED
    event = events.cancelled(refund=Money.zero(booking.currency))
    transition(booking, Action.EXPIRE, reason=reason, event=event, actor=SYSTEM, now=now)
    release(departure_id=booking.departure_id, held=booking.seats, now=now)
