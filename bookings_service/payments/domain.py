"""The rules of payments and refunds: their states and what moves them. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.errors import IllegalTransition


class SettleOutcome(StrEnum):
    """What the provider's answer about a payment changed."""

    APPLIED = "APPLIED"
    NOTHING_NEW = "NOTHING_NEW"
    CONTRADICTS = "CONTRADICTS"


class PaymentStatus(StrEnum):
    """The states of a payment. CREATED: recorded here, but the provider was not reached or has not answered."""

    CREATED = "CREATED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class RefundStatus(StrEnum):
    """The states of a refund."""

    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


LIVE: Final = (PaymentStatus.CREATED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)
# The clock asks the provider for these refunds. A failed refund is owed too, but waits for finance.
UNDER_WAY: Final = (RefundStatus.CREATED, RefundStatus.PROCESSING)

PAYMENT_TRANSITIONS: Final[Mapping[PaymentStatus, frozenset[PaymentStatus]]] = {
    PaymentStatus.CREATED: frozenset(
        {PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED}
    ),
    PaymentStatus.REQUIRES_ACTION: frozenset({PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED}),
    PaymentStatus.PROCESSING: frozenset({PaymentStatus.REQUIRES_ACTION, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED}),
    PaymentStatus.SUCCEEDED: frozenset(),
    PaymentStatus.FAILED: frozenset(),
}

REFUND_TRANSITIONS: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    RefundStatus.CREATED: frozenset({RefundStatus.PROCESSING, RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.PROCESSING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.SUCCEEDED: frozenset(),
    RefundStatus.FAILED: frozenset({RefundStatus.PROCESSING, RefundStatus.SUCCEEDED}),  # finance retries it
}


def check_payment_move(current: PaymentStatus, target: PaymentStatus) -> None:
    """Raise IllegalTransition if a payment in `current` cannot become `target`."""
    if target not in PAYMENT_TRANSITIONS[current]:
        raise IllegalTransition(status=current, action=target)


def check_refund_move(current: RefundStatus, target: RefundStatus) -> None:
    """Raise IllegalTransition if a refund in `current` cannot become `target`."""
    if target not in REFUND_TRANSITIONS[current]:
        raise IllegalTransition(status=current, action=target)
