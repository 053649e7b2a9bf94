"""The refusals of payments, each with its code in the public contract."""

from shared.errors import Conflict, Invalid, Unavailable
from shared.text import Text


class RefundTooLarge(Conflict):
    """The amount is more than what is refundable."""

    code = "REFUND_TOO_LARGE"
    text = Text(en="At most {most} can be given back.", fr="{most} au plus peuvent être remboursés.")


class RefundNeedsNoDecision(Conflict):
    """Finance has nothing to decide about the refund.

    Raised for a write-off if the refund has not failed or is already written off. Raised for a retry if the refund is
    already written off. A retry of a refund that has not failed raises IllegalTransition.
    """

    code = "NOTHING_TO_WRITE_OFF"
    text = Text(
        en="Only a failed refund that is not written off can be retried or written off.",
        fr="Seul un remboursement échoué, et pas encore passé en pertes, peut être relancé ou passé en pertes.",
    )


class NotPayable(Conflict):
    """The booking is not waiting for a payment."""

    code = "NOT_PAYABLE"
    text = Text(en="This booking is not waiting for a payment.", fr="Cette réservation n’attend aucun paiement.")


class InvalidPaymentMethod(Invalid):
    """The provider does not know the payment method."""

    code = "INVALID_PAYMENT_METHOD"
    text = Text(en="This payment method is not valid.", fr="Ce moyen de paiement n’est pas valide.")


class PaymentInProgress(Conflict):
    """Another payment of the booking is under way."""

    code = "PAYMENT_IN_PROGRESS"
    text = Text(en="A payment is under way.", fr="Un paiement est en cours.")


class AlreadyPaid(Conflict):
    """The booking is paid."""

    code = "ALREADY_PAID"
    text = Text(en="This booking is paid already.", fr="Cette réservation est déjà payée.")


class ProviderUnavailable(Unavailable):
    """The payment provider charged nothing. The traveller may try again."""

    code = "PROVIDER_UNAVAILABLE"
    text = Text(
        en="The payment provider is unavailable; nothing was charged. Try again.",
        fr="Le prestataire de paiement est indisponible ; rien n’a été débité. Réessayez.",
    )
