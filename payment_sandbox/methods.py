"""The test payment methods, and what a payment with each of them does."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The status of a payment or a refund."""

    PROCESSING = "PROCESSING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Method:
    """What a payment with this method does."""

    outcome: Status = Status.SUCCEEDED
    failure_code: str = ""
    settles_after: float = 0.0  # seconds until the outcome; the answer waits for it
    needs_action: bool = False  # a person first approves or declines on a page
    answers: bool = True  # False: no answer and no webhook; only a GET shows the outcome
    charges: bool = True  # False: the answer is 503, and nothing is stored
    refund_failures: int = 0  # the number of refund attempts that fail first


METHODS: Final = {
    "pm_ok": Method(),
    "pm_declined": Method(outcome=Status.FAILED, failure_code="card_declined"),
    "pm_action": Method(needs_action=True),
    "pm_slow": Method(settles_after=5.0),
    "pm_timeout": Method(answers=False),
    "pm_error": Method(charges=False),
    "pm_refund_fails_once": Method(refund_failures=1),
    "pm_refund_refused": Method(
        refund_failures=7
    ),  # all automatic attempts of bookings_service fail; the attempt by finance succeeds
}
