"""The test payment methods: what becomes of a payment that names each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a payment or a refund stands."""

    PROCESSING = "PROCESSING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Method:
    """How a payment with this method goes."""

    outcome: Status = Status.SUCCEEDED
    failure_code: str = ""
    settles_after: float = 0.0  # seconds; the answer waits for it
    needs_action: bool = False  # a person approves or declines on a page first
    answers: bool = True  # False: neither answer nor webhook; whoever asks is told
    charges: bool = True  # False: 503, and nothing is kept of it
    refund_failures: int = 0  # refunds of it that fail before one succeeds


METHODS: Final = {
    "pm_ok": Method(),
    "pm_declined": Method(outcome=Status.FAILED, failure_code="card_declined"),
    "pm_action": Method(needs_action=True),
    "pm_slow": Method(settles_after=5.0),
    "pm_timeout": Method(answers=False),
    "pm_error": Method(charges=False),
    "pm_refund_fails_once": Method(refund_failures=1),
    "pm_refund_refused": Method(refund_failures=7),  # as often as bookings asks by itself; finance's own try succeeds
}
